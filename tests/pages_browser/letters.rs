//! Every link of every kind of letter in a real browser: first in the hands of a mail scanner that runs
//! the scripts, presses every button and sends every form, but chooses nothing; then of a person.

use std::collections::BTreeSet;

use manyhands::domain::letter::LetterKind::{
    self, Accepted, Agree, Asked, CalledOff, Changed, Confirm, Contact, DidItWork, Expiring,
    NobodyYet, Received,
};

use crate::browser::Browser;
use crate::serve;
use crate::support::letters::Post;

struct Scanner {
    browser: Browser,
    post: Post,
    url: String,
}

/// What is on the page to be pressed and sent.
const BUTTONS: &str = "document.getElementsByTagName('button').length";
const FORMS: &str = "document.forms.length";
/// No form keeps a scanner from sending it.
const UNCHECKED: &str =
    "Array.prototype.forEach.call(document.forms, function (f) { f.noValidate = true; })";

impl Scanner {
    async fn new() -> Self {
        let post = Post::new().await;
        let url = serve(&post.app.ctx);
        // The browser is waited for without await: the server must have begun by then.
        actix_web::rt::task::yield_now().await;
        Self {
            browser: Browser::start(),
            post,
            url,
        }
    }

    fn rows(&self) -> BTreeSet<String> {
        self.post.app.database.rows()
    }

    /// Opens a link of a letter and waits until the script has done what it does.
    fn open(&mut self, link: &str) {
        let here = link.replace(
            self.post.app.ctx.settings.server.public_url.as_str(),
            &self.url,
        );
        assert!(here.starts_with(&self.url), "{link} leads elsewhere");
        self.browser.open(&here);
        let has_code = link.contains("mh") && link.contains('_');
        if has_code {
            // The code is sent, and what it opens, or that it opens nothing, is shown.
            self.browser.wait(
                "!document.getElementById('code-form') || document.querySelector('[role=alert]')",
            );
            let address = self.browser.eval("location.href");
            assert!(!address.as_str().unwrap().contains("mh"), "{address}");
        }
    }

    fn count(&mut self, what: &str) -> u64 {
        self.browser.eval(what).as_u64().unwrap()
    }

    /// Presses every button and sends every form, without a choice.
    fn press_everything(&mut self, link: &str) -> u64 {
        self.open(link);
        let (buttons, forms) = (self.count(BUTTONS), self.count(FORMS));
        let press = |n| format!("document.getElementsByTagName('button')[{n}].click()");
        // Past the listeners and the checks of the browser.
        let send = |n| format!("HTMLFormElement.prototype.submit.call(document.forms[{n}])");
        let all = (0..buttons).map(press).chain((0..forms).map(send));
        for action in all.collect::<Vec<_>>() {
            if (self.count(BUTTONS), self.count(FORMS)) != (buttons, forms) {
                self.open(link);
            }
            self.browser.eval(UNCHECKED);
            self.browser.go(&action);
        }
        buttons + forms
    }

    /// Chooses as a person does, in the form where that can be chosen, and sends it.
    fn choose(&mut self, kind: LetterKind, to: &str, choices: &[&str], answer: &str) {
        let link = self.button(kind, to);
        self.choose_at(&link, choices, answer);
    }

    /// Where the letter's button leads.
    fn button(&self, kind: LetterKind, to: &str) -> String {
        self.post.newest(kind, to).button().unwrap()
    }

    fn choose_at(&mut self, link: &str, choices: &[&str], answer: &str) {
        let before = self.rows();
        self.open(link);
        for choice in choices {
            let label = format!("{}.labels[0].click()", input(choice));
            self.browser.eval(&label);
        }
        let form = format!("{}.form", input(choices[0]));
        self.browser
            .go(&format!("{form}.querySelector('button').click()"));
        let text = self.browser.text();
        assert!(text.contains(answer), "{choices:?}: {text}");
        assert_ne!(self.rows(), before, "{choices:?}");
    }
}

/// What a person ticks for a choice.
fn input(choice: &str) -> String {
    format!("document.querySelector('input[value={choice}]:not([type=hidden])')")
}

#[actix_web::test]
async fn every_link_of_every_letter_waits_for_a_persons_choice() {
    let mut scanner = Scanner::new().await;
    let before = scanner.rows();
    let (mut seen, mut scanned) = (BTreeSet::new(), BTreeSet::new());
    let mut pressed = 0;
    let letters: Vec<(String, BTreeSet<String>)> = {
        let all = scanner.post.sent.iter();
        all.map(|l| (l.to_string(), l.links())).collect()
    };
    for (letter, links) in letters {
        // The page that takes a typed code is the same in every letter.
        for link in links.into_iter().filter(|l| seen.insert(l.clone())) {
            // Mail programs' link leads where the letter's own does.
            let code = link.rsplit(['#', '/']).next().unwrap().to_owned();
            if scanned.insert(code) {
                pressed += scanner.press_everything(&link);
            } else {
                scanner.open(&link);
            }
        }
        assert_eq!(scanner.rows(), before, "{letter}");
    }
    assert!(pressed > 200, "{pressed}");
    assert_eq!(scanner.browser.complaints(), [] as [&str; 0]);
    people(&mut scanner);
    assert_eq!(scanner.browser.complaints(), [] as [&str; 0]);
}

/// And now people, who choose.
fn people(scanner: &mut Scanner) {
    for (kind, to, choices, answer) in [
        (Confirm, "eve", &["confirm"][..], "Your offer is open"),
        (Asked, "ana", &["accept"], "Your yes has arrived"),
        (Agree, "oli", &["agree"], "They learn now how to reach you"),
        (Accepted, "nia", &["done"], "We are glad"),
        (DidItWork, "una", &["done"], "We are glad"),
        (NobodyYet, "kim", &["hide"], "Your posts are hidden"),
        (Received, "kim", &["show"], "Your posts are shown again"),
        (
            Received,
            "dee",
            &["pause-all"],
            "You are not asked any more",
        ),
        (Expiring, "ana", &["renew"], "Your offer stays open"),
        (Received, "pat", &["rotate"], "The old one stopped working"),
        (Received, "sam", &["erase", "yes"], ""),
    ] {
        scanner.choose(kind, &format!("{to}@example.org"), choices, answer);
    }
    for (kind, to) in [(Changed, "mo"), (CalledOff, "lin"), (Contact, "ana")] {
        let link = scanner.button(kind, &format!("{to}@example.org"));
        scanner.open(&link);
        let text = scanner.browser.text();
        assert!(!text.contains("opens nothing"), "{kind}: {text}");
    }
    let letter = scanner.post.newest(Asked, "ana@example.org");
    let header = letter.mail.message.unsubscribe.as_ref().unwrap();
    let header = header.expose().to_owned();
    scanner.choose_at(&header, &["stop"], "e-mail");
}
