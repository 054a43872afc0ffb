// What is wrong with the page for people: text without contrast, inputs without a name, too small to read or to press,
// or wider than the screen. Gives a list of faults.
(function () {
  var faults = [];

  function numbers(color) {
    var parts = color.match(/[\d.]+/g).map(Number);
    return parts.length < 4 ? parts.concat(1) : parts;
  }

  function luminance(rgb) {
    var c = rgb.slice(0, 3).map(function (v) {
      v /= 255;
      return v <= 0.03928 ? v / 12.92 : Math.pow((v + 0.055) / 1.055, 2.4);
    });
    return 0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2];
  }

  function background(el) {
    for (; el; el = el.parentElement) {
      var color = numbers(getComputedStyle(el).backgroundColor);
      if (color[3] > 0) { return color; }
    }
    return [255, 255, 255];
  }

  function name(el) { return el.tagName + '#' + el.id + ' ' + el.textContent.trim().slice(0, 30); }

  document.body.querySelectorAll('*').forEach(function (el) {
    var hasText = Array.prototype.some.call(el.childNodes, function (n) { return n.nodeType === 3 && n.data.trim(); });
    if (!el.offsetHeight || !(hasText || /INPUT|SELECT|TEXTAREA/.test(el.tagName))) { return; }
    var style = getComputedStyle(el), a = luminance(numbers(style.color)), b = luminance(background(el));
    var contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) { faults.push('contrast ' + contrast.toFixed(1) + ': ' + name(el)); }
    if (parseFloat(style.fontSize) < 15) { faults.push('small: ' + name(el)); }
  });
  document.querySelectorAll('input:not([type=hidden]), select, textarea').forEach(function (el) {
    if (!el.labels || !el.labels.length) { faults.push('no label: ' + name(el)); }
    if (parseFloat(getComputedStyle(el).fontSize) < 16) { faults.push('small: ' + name(el)); }
    var pressed = /radio|checkbox/.test(el.type) ? el.labels[0] : el;
    if (pressed && pressed.offsetHeight && pressed.offsetHeight < 44) { faults.push('low: ' + name(el)); }
    if (document.querySelectorAll('[id="' + el.id + '"]').length !== 1) { faults.push('id: ' + name(el)); }
  });
  document.querySelectorAll('button').forEach(function (el) {
    if (el.offsetHeight < 44) { faults.push('low: ' + name(el)); }
  });
  if (document.documentElement.scrollWidth > window.innerWidth) { faults.push('wider than the screen'); }
  if (document.querySelectorAll('h1').length !== 1) { faults.push('not one heading'); }
  if (document.documentElement.lang !== 'en') { faults.push('no language'); }
  return faults;
}())
