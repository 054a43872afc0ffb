//! What letters say: from the facts of a claimed letter to subject, text and HTML.
//!
//! Letters carry no person's contact, no address and no private note: those stay behind the link, so that they
//! vanish when the match ends and no mailbox keeps them. Subjects say nothing of anybody's need.
//! To add a letter: a kind in `domain::letter`, its words here, and who may get it in
//! `actions::letter_subject`.

mod digest;

use std::time::Duration;

use askama::Template;

use crate::crypto::token::{Purpose, Token};
use crate::domain::availability::TimeZoneName;
use crate::domain::clock::Ts;
use crate::domain::contact::{EmailAddress, PersonName};
use crate::domain::digest::Digest;
use crate::domain::ids::{LetterId, MatchId};
use crate::domain::letter::LetterKind;
use crate::domain::lifecycle::{Agreement, Attention};
use crate::domain::need::Urgency;
use crate::domain::note::Note;
use crate::domain::place::DistanceBand;
use crate::domain::secret::HandedOver;

/// A letter's facts.
#[derive(Debug)]
pub struct LetterToSend {
    /// Which letter; its Message-ID is made from it.
    pub id: LetterId,
    /// What it is about.
    pub kind: LetterKind,
    /// Whether a volunteer gets it.
    pub to_volunteer: bool,
    /// Where it goes.
    pub to: EmailAddress,
    /// Whom it greets.
    pub name: PersonName,
    /// The request, where there is one.
    pub about: Option<About>,
    /// What its link opens.
    pub link: Option<Token>,
    /// What its unsubscribe link opens.
    pub unsubscribe: Option<Token>,
    /// Whether the neighbor is called before anybody is asked.
    pub call_first: bool,
    /// Until when the link works, if it does not work for good.
    pub link_expires: Option<Ts>,
    /// By when a neighbor knows more, by the clock of the area, where that can be said.
    pub know_by: Option<jiff::Zoned>,
    /// Of a letter that tells of late tasks: how many there are.
    pub late_tasks: i64,
    /// Of the morning's letter: how it stands.
    pub digest: Option<Digest>,
}

/// What a letter may tell of a request.
#[derive(Debug)]
pub struct About {
    /// The category's title.
    pub category: String,
    /// How much, with its unit.
    pub amount: String,
    /// How soon.
    pub urgency: Urgency,
    /// From when.
    pub from: Ts,
    /// Until when.
    pub until: Ts,
    /// Whose clock the letter shows.
    pub timezone: TimeZoneName,
    /// How far.
    pub band: Option<DistanceBand>,
    /// What the neighbor says to whoever is asked.
    pub note: Option<Note>,
    /// How long the volunteer has to answer.
    pub respond_within: Duration,
    /// Whether the neighbor must agree.
    pub agreement: Agreement,
    /// When the volunteer arrives, or expects the neighbor.
    pub arrival: Option<Ts>,
    /// Whether the volunteer says that the help was given,
    pub said_done: bool,
    /// and how long the neighbor has then to say otherwise.
    pub done_wait: Duration,
    /// Why nobody is found.
    pub attention: Option<Attention>,
    /// The match, for coordinators.
    pub match_id: Option<MatchId>,
    /// Who looks after it now, for the neighbor.
    pub handed_over: Option<HandedOver>,
}

/// A letter as it is sent.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "it holds tokens in clear")]
pub struct Rendered {
    /// The subject.
    pub subject: &'static str,
    /// The plain text part.
    pub text: String,
    /// The HTML part.
    pub html: String,
    /// Where RFC 8058's one click goes.
    pub unsubscribe_url: Option<String>,
}

/// Subject, paragraphs, and what the button says.
struct Words {
    subject: &'static str,
    paragraphs: Vec<String>,
    button: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "letter.txt", escape = "none")]
struct Text<'a> {
    words: &'a Words,
    name: &'a str,
    link: Option<&'a str>,
    code: Option<&'a str>,
    page: &'a str,
    unsubscribe: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "letter.html")]
struct Html<'a> {
    words: &'a Words,
    name: &'a str,
    link: Option<&'a str>,
    code: Option<&'a str>,
    page: &'a str,
    unsubscribe: Option<&'a str>,
}

/// Renders a letter; links begin with `public_url`.
///
/// # Errors
/// A template that fails, which none does by itself.
pub fn render(letter: &LetterToSend, public_url: &str) -> Result<Rendered, askama::Error> {
    let words = words(letter);
    let page = letter.link.as_ref().map_or(String::new(), |t| {
        format!("{public_url}/{}", page(t.purpose()))
    });
    let link = letter
        .link
        .as_ref()
        .map(|token| format!("{page}#{}", token.expose()));
    let code = letter.link.as_ref().map(Token::expose);
    let unsubscribe = letter
        .unsubscribe
        .as_ref()
        .map(|t| format!("{public_url}/unsubscribe#{}", t.expose()));
    let name = letter.name.first();
    let (link, unsubscribe) = (link.as_deref(), unsubscribe.as_deref());
    Ok(Rendered {
        subject: words.subject,
        text: Text {
            words: &words,
            name,
            link,
            code,
            page: &page,
            unsubscribe,
        }
        .render()?,
        html: Html {
            words: &words,
            name,
            link,
            code,
            page: &page,
            unsubscribe,
        }
        .render()?,
        unsubscribe_url: letter
            .unsubscribe
            .as_ref()
            .map(|t| format!("{public_url}/v1/unsubscribe/{}", t.expose())),
    })
}

/// The page that takes a token of this purpose.
fn page(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Confirm => "confirm",
        Purpose::Answer => "answer",
        Purpose::Neighbor | Purpose::Volunteer | Purpose::Coordinator => "manage",
        Purpose::Unsubscribe => "unsubscribe",
    }
}

#[expect(clippy::too_many_lines, reason = "one arm a letter")]
fn words(letter: &LetterToSend) -> Words {
    let about = letter.about.as_ref();
    let need = about.map_or_else(String::new, need);
    match (letter.kind, letter.to_volunteer) {
        (LetterKind::Confirm, _) => Words {
            subject: "Please confirm your e-mail address",
            paragraphs: vec![
                "Thank you for offering help. Somebody, probably you, has posted it with this e-mail address.".into(),
                match letter.link_expires {
                    Some(at) => format!("Please open the page and confirm. The link works until {} UTC; after that the post is deleted.", at.to_jiff().strftime("%Y-%m-%d %H:%M")),
                    None => "Please open the page and confirm.".into(),
                },
                "If it was not you, do nothing: nothing happens then.".into(),
            ],
            button: Some("Confirm my offer"),
        },
        (LetterKind::Received, true) => Words {
            subject: "Your offer is open",
            paragraphs: vec![
                "Thank you. We ask you by e-mail when somebody near you needs what you offer; an ask is not a duty.".into(),
                "With this link you can change, pause or end everything. Keep it to yourself: whoever has it can do the same.".into(),
            ],
            button: Some("Manage my offers"),
        },
        (LetterKind::Received, false) => Words {
            subject: "We have received your post",
            paragraphs: vec![
                if letter.call_first {
                    "Before anybody comes to your home, a coordinator calls you, or writes if you gave no number. After that we look for somebody near you.".into()
                } else {
                    format!("We are looking for somebody near you, and we write as soon as somebody says yes.{}", by(letter))
                },
                "With this link you see how it stands, change it, hide it or delete it. Keep it to yourself: whoever has it can do the same.".into(),
            ],
            button: Some("See how it stands"),
        },
        (LetterKind::Imported, _) => Words {
            subject: "Your offer to help is with us",
            paragraphs: vec![
                "You offered help on a form or a list of ours. It has moved to this service, and we ask you by e-mail when somebody near you needs what you offer; an ask is not a duty.".into(),
                "With this link you can change, pause or end everything, or have it all deleted. Keep it to yourself: whoever has it can do the same.".into(),
            ],
            button: Some("See, change or end it"),
        },
        (LetterKind::Asked, _) => {
            let mut paragraphs = vec!["A neighbor needs help that you have offered.".into(), need];
            if let Some(note) = about.and_then(|a| a.note.as_ref()) {
                paragraphs.push(format!("They say: {}", note.expose()));
            }
            if let Some(about) = about {
                paragraphs.push(format!("Others are asked too. Please answer within {}, yes or no; a no is as welcome, for then we ask the next one at once.", span(about.respond_within)));
            }
            Words { subject: "Can you help a neighbor?", paragraphs, button: Some("See it and answer") }
        }
        (LetterKind::Accepted, true) if about.is_some_and(|a| a.agreement == Agreement::Pending) => Words {
            subject: "Thank you: one more step",
            paragraphs: vec![
                need,
                "Thank you for your yes. The neighbor is asked now whether you may come; we write as soon as they have answered. Please do nothing until then.".into(),
            ],
            button: Some("See how it stands"),
        },
        (LetterKind::Accepted | LetterKind::Contact, true) => Words {
            subject: "It is settled: how to reach your neighbor",
            paragraphs: vec![need, "Thank you. Behind the link you find how to reach each other. It is there until the help is given.".into()],
            button: Some("See how to reach them"),
        },
        (LetterKind::Accepted | LetterKind::Contact, false) => Words {
            subject: "Somebody is going to help",
            paragraphs: vec![need, "A volunteer has said yes. Behind the link you find how to reach each other. It is there until the help is given.".into()],
            button: Some("See how to reach them"),
        },
        (LetterKind::Agree, _) => Words {
            subject: "May this volunteer help you?",
            paragraphs: vec![need, "A volunteer has said yes. They learn how to reach you only if you agree. Please look, and answer yes or no.".into()],
            button: Some("Look and answer"),
        },
        (LetterKind::Arrival, _) => Words {
            subject: "Another time of arrival",
            paragraphs: vec![need, "The volunteer has named another time than before. If it does not suit you, please tell them; the link shows how to reach each other.".into()],
            button: Some("See how it stands"),
        },
        (LetterKind::Reminder, true) => Words {
            subject: "A reminder: a neighbor counts on you",
            paragraphs: vec![need, "You have promised this. If you cannot do it after all, please give it back behind the link now, so that we can ask somebody else.".into()],
            button: Some("See how to reach them"),
        },
        (LetterKind::Reminder, false) => Words {
            subject: "A reminder: somebody is going to help",
            paragraphs: vec![need, "If you do not need it any more, please say so behind the link, so that nobody sets out in vain.".into()],
            button: Some("See how it stands"),
        },
        (LetterKind::DidItWork, true) => Words {
            subject: "Did it work?",
            paragraphs: vec![need, "You had promised this, and its time is over. Please tell us behind the link how it went: the help was given, nobody was there, or there was a problem. A word is enough.".into()],
            button: Some("Say how it went"),
        },
        (LetterKind::DidItWork, false) => Words {
            subject: "Did it work?",
            paragraphs: vec![
                need,
                match about {
                    Some(about) if about.said_done => format!("The volunteer says that you got this help. If that is so, please say so behind the link. If nobody came, or there was a problem, please tell us there within {}: we ask others at once. If we hear nothing, we take it that you were helped.", span(about.done_wait)),
                    _ => "This was promised to you, and its time is over. Please tell us behind the link how it went: you got the help, nobody came, or there was a problem. A word is enough.".into(),
                },
            ],
            button: Some("Say how it went"),
        },
        (LetterKind::Changed, _) => Words {
            subject: "We are looking again",
            paragraphs: vec![need, "The volunteer who had said yes cannot help after all. We are asking others now; you need to do nothing.".into()],
            button: Some("See how it stands"),
        },
        (LetterKind::CalledOff, true) => Words {
            subject: "You are not needed any more: please do not go",
            paragraphs: vec![need, "This help has been called off. Please do not go, and do not call. Thank you for having been there.".into()],
            button: Some("See how it stands"),
        },
        (LetterKind::CalledOff, false) => Words {
            subject: "The help was called off",
            paragraphs: vec![need, "The volunteer who had said yes is not coming. We are asking others now; you need to do nothing.".into()],
            button: Some("See how it stands"),
        },
        (LetterKind::HandedOver, _) => Words {
            subject: "Another group has taken it over",
            paragraphs: vec![
                need,
                match about.and_then(|a| a.handed_over.as_ref()) {
                    Some(HandedOver { to, reference }) => format!("We have handed it over to {}; they know it as {}. We are not looking for anybody any more, and whoever was coming has been told.", to.expose(), reference.expose()),
                    None => "We have handed it over to another group. We are not looking for anybody any more.".into(),
                },
            ],
            button: Some("See how it stands"),
        },
        (LetterKind::Covered, _) => Words {
            subject: "Thank you: somebody is helping already",
            paragraphs: vec![need, "Somebody else was a little quicker. You need to do nothing; thank you for being there.".into()],
            button: None,
        },
        (LetterKind::NobodyYet, _) => Words {
            subject: "We have not found anybody yet",
            paragraphs: vec![
                need,
                match about.and_then(|a| a.attention) {
                    Some(Attention::NoneInReach) => "There is no offer near you yet that fits. A coordinator sees your post, and every new offer is compared with it.".into(),
                    _ => "Everybody near you whose offer fits has been asked, or cannot be asked now, and nobody has said yes yet. A coordinator sees your post, and every new offer is compared with it.".into(),
                },
                match &letter.know_by {
                    Some(_) => format!("It goes on by itself.{}", by(letter)),
                    None => "We cannot say yet by when you will know: that is in a coordinator's hands now.".into(),
                },
            ],
            button: Some("See how it stands"),
        },
        (LetterKind::Expiring, _) => Words {
            subject: "Does your offer still stand?",
            paragraphs: vec!["Your offer ends soon unless you renew it.".into()],
            button: Some("Renew it or let it end"),
        },
        (LetterKind::ReviewDue, _) => Words {
            subject: "A match waits for your review",
            paragraphs: vec![need, review(about)],
            button: None,
        },
        (LetterKind::CallDue, _) => Words {
            subject: "A neighbor waits for your call",
            paragraphs: vec![
                need,
                "Nobody is asked for it before somebody has spoken with the neighbor.".into(),
                "GET /v1/tasks?state=open with your token.".into(),
            ],
            button: None,
        },
        (LetterKind::TasksLate, _) => Words {
            subject: "Tasks are late",
            paragraphs: vec![
                match letter.late_tasks {
                    1 => "One task should have been done a while ago, and nobody is at it. Somebody waits for it.".into(),
                    many => format!("{many} tasks should have been done a while ago, and nobody is at them. Somebody waits for each."),
                },
                "GET /v1/tasks?escalated=true&sort=due with your token.".into(),
            ],
            button: None,
        },
        (LetterKind::Digest, _) => Words {
            subject: "Good morning: how it stands",
            paragraphs: digest::paragraphs(letter.digest.as_ref()),
            button: None,
        },
        // Told to webhooks, and never mailed.
        (LetterKind::Event, _) => Words {
            subject: "Something has changed",
            paragraphs: Vec::new(),
            button: None,
        },
        (LetterKind::Reported, _) => Words {
            subject: "Somebody has reported a problem",
            paragraphs: vec![
                "The two are parted, and will not be brought together again. Please look at it now.".into(),
                "GET /v1/reports?open=true with your token.".into(),
                review(about),
            ],
            button: None,
        },
    }
}

/// "2 meals of Food, less than 2 km away, needed today between 18:00 and 20:00 …".
fn need(about: &About) -> String {
    let when = |t: Ts| {
        about
            .timezone
            .to_local(t)
            .strftime("%a %b %-d, %H:%M")
            .to_string()
    };
    let soon = match about.urgency {
        Urgency::Now => " It is urgent.",
        Urgency::Today | Urgency::Soon => "",
    };
    let far = about
        .band
        .map_or_else(String::new, |b| format!(", {}", b.words()));
    let zone = about
        .timezone
        .to_local(about.from)
        .strftime("%Z")
        .to_string();
    let arrival = about.arrival.map_or_else(String::new, |at| {
        format!(" Arrival: {} ({zone}).", when(at))
    });
    format!(
        "{}: {}{far}, between {} and {} ({zone}).{soon}{arrival}",
        about.category,
        about.amount.trim_end(),
        when(about.from),
        when(about.until),
    )
}

/// " By Mon Dec 7, 18:20 (CST) you know whether somebody helps, or how it goes on."; empty where nothing can
/// be said.
fn by(letter: &LetterToSend) -> String {
    letter.know_by.as_ref().map_or_else(String::new, |by| {
        let by = by.strftime("%a %b %-d, %H:%M (%Z)");
        format!(" By {by} you know whether somebody helps, or how it goes on; the link shows it.")
    })
}

fn review(about: Option<&About>) -> String {
    match about.and_then(|a| a.match_id) {
        Some(id) => format!("Match {id}: GET /v1/matches/{id} with your token."),
        None => "GET /v1/matches with your token.".into(),
    }
}

fn span(d: Duration) -> String {
    let minutes = d.as_secs() / 60;
    match minutes {
        0..120 => format!("{minutes} minutes"),
        _ => format!("{} hours", minutes / 60),
    }
}
