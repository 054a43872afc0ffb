//! What people make of their letters.

use super::agenda::{About, Act, City, Desk, End};
use super::habits::{Ask, Ending, Habits, Pair};
use crate::crypto::token::{Purpose, Token};
use crate::domain::letter::LetterKind;
use crate::domain::lifecycle::MatchState;
use crate::mail::message::Message;
use crate::storage::letters::RecipientKind;
use crate::storage::{StorageError, matches};

impl<H: Habits> City<H> {
    /// Plans what the recipient does about a letter; often that is nothing.
    pub(super) async fn react(&mut self, message: &Message, about: About) -> anyhow::Result<()> {
        match (about.letter.kind, about.letter.to_kind) {
            (LetterKind::Confirm, _) => self.welcomed(message, &about),
            (LetterKind::Asked, _) => self.asked(message, &about),
            (LetterKind::Agree, RecipientKind::Neighbor) => self.may_come(message, &about),
            (LetterKind::DidItWork, RecipientKind::Neighbor) => self.was_helped(&about),
            (LetterKind::Accepted | LetterKind::Contact, RecipientKind::Volunteer) => {
                self.settled(message, &about);
            }
            (LetterKind::ReviewDue, _) if self.desk == Desk::Told => self.proposed(&about).await?,
            _ => {}
        }
        Ok(())
    }

    fn welcomed(&mut self, message: &Message, about: &About) {
        let number = self.number(about.letter.to_id);
        let wait = self.habits.confirms(message.to.expose(), number);
        if let (Some(token), Some(wait)) = (token_in(&message.text, Purpose::Confirm), wait) {
            self.plan_in(wait, Act::Confirm(token));
        }
    }

    fn asked(&mut self, message: &Message, about: &About) {
        let (Some(token), Some(request)) =
            (token_in(&message.text, Purpose::Answer), &about.request)
        else {
            return;
        };
        let ask = Ask {
            to: message.to.expose(),
            request,
            pair: self.pair_of(about),
            at: self.ctx.now(),
        };
        if let Some((wait, yes)) = self.habits.answers(ask) {
            self.plan_in(wait, Act::Answer(token, yes));
        }
    }

    fn may_come(&mut self, message: &Message, about: &About) {
        let (Some(token), Some(matched), Some(request)) = (
            token_in(&message.text, Purpose::Neighbor),
            &about.matched,
            &about.request,
        ) else {
            return;
        };
        let pair = self.pair_of(about);
        if let Some((wait, yes)) = self.habits.agrees(matched.id, request, pair) {
            self.plan_in(wait, Act::Agree(token, matched.id, yes));
        }
    }

    /// Contacts are released: the help is given after a while, mostly.
    fn settled(&mut self, message: &Message, about: &About) {
        let (Some(token), Some(matched), Some(request)) = (
            token_in(&message.text, Purpose::Answer),
            &about.matched,
            &about.request,
        ) else {
            return;
        };
        if !matched.is_released() {
            return;
        }
        let pair = self.pair_of(about);
        let Some((wait, ending)) = self.habits.ends(matched.id, request, pair) else {
            return;
        };
        let neighbor = request.neighbor_id;
        let end = match ending {
            Ending::DoneByVolunteer => End::DoneByVolunteer(token),
            Ending::DoneByNeighbor => End::DoneByNeighbor(neighbor, matched.id),
            Ending::NoShow => End::NoShow(neighbor, matched.id),
            Ending::Released => End::Release(token),
        };
        self.plan_in(wait, Act::End(end));
    }

    /// The volunteer says that the help was given.
    fn was_helped(&mut self, about: &About) {
        let (Some(matched), Some(request)) = (&about.matched, &about.request) else {
            return;
        };
        if matched.done_at.is_some()
            && let Some(wait) = self.habits.confirms_help(matched.id)
        {
            let end = End::DoneByNeighbor(request.neighbor_id, matched.id);
            self.plan_in(wait, Act::End(end));
        }
    }

    /// One letter tells of all that a round proposed.
    async fn proposed(&mut self, about: &About) -> anyhow::Result<()> {
        let Some(id) = about.letter.request_id else {
            return Ok(());
        };
        let found = self
            .ctx
            .db
            .read(move |conn| Ok::<_, StorageError>(matches::of_request(conn, id)?));
        for matched in found.await? {
            if matched.state == MatchState::Proposed {
                self.take_review(&matched);
            }
        }
        Ok(())
    }

    /// The two people of a letter about a match.
    fn pair_of(&self, about: &About) -> Pair {
        Pair {
            volunteer: about.matched.as_ref().and_then(|m| self.number(m.offer_id)),
            neighbor: about.letter.request_id.and_then(|id| self.number(id)),
        }
    }
}

/// The token of that purpose in a letter's text.
pub(in crate::cli) fn token_in(text: &str, purpose: Purpose) -> Option<Token> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter_map(Token::parse)
        .find(|token| token.purpose() == purpose)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::entropy::SeededEntropy;

    #[test]
    fn a_token_is_found_by_its_purpose() {
        let entropy = SeededEntropy::new(1);
        let [answer, stop] =
            [Purpose::Answer, Purpose::Unsubscribe].map(|p| Token::mint(p, &entropy));
        let text = format!(
            "Open http://127.0.0.1:8080/answer#{}\n\nstop: /unsubscribe#{}.",
            answer.expose(),
            stop.expose()
        );
        let found = |purpose| token_in(&text, purpose).map(|t| t.expose().to_owned());
        assert_eq!(found(Purpose::Answer).as_deref(), Some(answer.expose()));
        assert_eq!(found(Purpose::Unsubscribe).as_deref(), Some(stop.expose()));
        assert_eq!(found(Purpose::Confirm), None);
    }
}
