/* In a link the code stands behind the #, where no server and no log sees it. Take it out of the address bar at once,
   and send it as a form that only shows what it opens: whatever changes something needs a choice by a person.
   ES5, for old phones. Without this script the code is pasted or typed. */
(function () {
  'use strict';
  var form = document.getElementById('code-form');

  function open() {
    var code = location.hash.slice(1);
    try { code = decodeURIComponent(code); } catch (e) { /* it is then taken as it is */ }
    /* Whatever a mail program has added to the end of the link is left out. */
    code = /^mh[a-z]_[0-9a-z -]+/i.exec(code);
    if (!form || !code) { return; }
    if (window.history && history.replaceState) {
      history.replaceState(null, '', location.pathname);
    } else {
      location.replace('#');
    }
    form.elements.code.value = code[0];
    form.submit();
  }

  /* One press is enough, also where the network is slow. */
  function once(event) {
    var sent = event.target;
    if (sent.getAttribute('data-sent')) {
      event.preventDefault();
    } else {
      sent.setAttribute('data-sent', '1');
      setTimeout(again, 5000);
    }
  }

  /* Whoever comes back to the page, or stopped it on its way, may press again. */
  function again() {
    var forms = document.getElementsByTagName('form');
    for (var i = 0; i < forms.length; i += 1) { forms[i].removeAttribute('data-sent'); }
  }

  document.addEventListener('submit', once, false);
  window.addEventListener('pageshow', again, false);
  window.addEventListener('hashchange', open, false);
  open();
}());
