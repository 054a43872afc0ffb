//! What people make of their letters.

use super::agenda::{Act, City, Desk, End};
use super::habits::{Ask, Ending, Habits, Pair};
use crate::crypto::token::{Purpose, Token};
use crate::domain::ids::{MatchId, RequestId};
use crate::domain::letter::LetterKind;
use crate::domain::lifecycle::MatchState;
use crate::mail::message::Message;
use crate::storage::letters::{Letter, RecipientKind};
use crate::storage::matches::Match;
use crate::storage::requests::Request;
use crate::storage::{StorageError, matches, requests};

impl<H: Habits> City<H> {
    /// Plans what the recipient does about a letter; often that is nothing.
    pub(super) async fn react(&mut self, message: &Message, letter: &Letter) -> anyhow::Result<()> {
        match (letter.kind, letter.to_kind) {
            (LetterKind::Confirm, _) => self.welcomed(message, letter),
            (LetterKind::Asked, _) => self.asked(message, letter).await?,
            (LetterKind::Agree, RecipientKind::Neighbor) => {
                self.may_come(message, letter).await?;
            }
            (LetterKind::Accepted | LetterKind::Contact, RecipientKind::Volunteer) => {
                self.settled(message, letter).await?;
            }
            (LetterKind::ReviewDue, _) if self.desk == Desk::Told => {
                self.to_review(letter).await?;
            }
            _ => {}
        }
        Ok(())
    }

    fn welcomed(&mut self, message: &Message, letter: &Letter) {
        let number = self.number(letter.to_id);
        let wait = self.habits.confirms(message.to.expose(), number);
        if let (Some(token), Some(wait)) = (token_in(&message.text, Purpose::Confirm), wait) {
            self.plan_in(wait, Act::Confirm(token));
        }
    }

    async fn asked(&mut self, message: &Message, letter: &Letter) -> anyhow::Result<()> {
        let Some(token) = token_in(&message.text, Purpose::Answer) else {
            return Ok(());
        };
        let Some(request) = self.request(letter.request_id).await? else {
            return Ok(());
        };
        let ask = Ask {
            to: message.to.expose(),
            request: &request,
            pair: self.pair_of(letter, &request),
            at: self.ctx.now(),
        };
        if let Some((wait, yes)) = self.habits.answers(ask) {
            self.plan_in(wait, Act::Answer(token, yes));
        }
        Ok(())
    }

    async fn may_come(&mut self, message: &Message, letter: &Letter) -> anyhow::Result<()> {
        let (Some(token), Some(id)) = (token_in(&message.text, Purpose::Neighbor), letter.match_id)
        else {
            return Ok(());
        };
        let Some((matched, request)) = self.match_and_request(letter).await? else {
            return Ok(());
        };
        let pair = Pair {
            volunteer: self.number(matched.offer_id),
            neighbor: self.number(request.id),
        };
        if let Some((wait, yes)) = self.habits.agrees(id, &request, pair) {
            self.plan_in(wait, Act::Agree(token, id, yes));
        }
        Ok(())
    }

    /// Contacts are released: the help is given after a while, mostly.
    async fn settled(&mut self, message: &Message, letter: &Letter) -> anyhow::Result<()> {
        let Some((matched, request)) = self.match_and_request(letter).await? else {
            return Ok(());
        };
        let Some(token) = token_in(&message.text, Purpose::Answer) else {
            return Ok(());
        };
        if !matched.is_released() {
            return Ok(());
        }
        let pair = self.pair_of(letter, &request);
        let neighbor = request.neighbor_id;
        let Some((wait, ending)) = self.habits.ends(matched.id, &request, pair) else {
            return Ok(());
        };
        let end = match ending {
            Ending::DoneByVolunteer => End::DoneByVolunteer(token),
            Ending::DoneByNeighbor => End::DoneByNeighbor(neighbor, matched.id),
            Ending::NoShow => End::NoShow(neighbor, matched.id),
            Ending::Released => End::Release(token),
        };
        self.plan_in(wait, Act::End(end));
        Ok(())
    }

    /// One letter tells of all that a round proposed.
    async fn to_review(&mut self, letter: &Letter) -> anyhow::Result<()> {
        let Some(id) = letter.request_id else {
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

    /// The two people of a letter to a volunteer.
    fn pair_of(&self, letter: &Letter, request: &Request) -> Pair {
        Pair {
            volunteer: self.number(letter.to_id),
            neighbor: self.number(request.id),
        }
    }

    async fn match_and_request(&self, letter: &Letter) -> anyhow::Result<Option<(Match, Request)>> {
        let matched = self.matched(letter.match_id).await?;
        Ok(matched.zip(self.request(letter.request_id).await?))
    }

    async fn request(&self, id: Option<RequestId>) -> anyhow::Result<Option<Request>> {
        let Some(id) = id else {
            return Ok(None);
        };
        let found = self
            .ctx
            .db
            .read(move |conn| Ok::<_, StorageError>(requests::find(conn, id)?));
        Ok(found.await?)
    }

    async fn matched(&self, id: Option<MatchId>) -> anyhow::Result<Option<Match>> {
        let Some(id) = id else {
            return Ok(None);
        };
        let found = self
            .ctx
            .db
            .read(move |conn| Ok::<_, StorageError>(matches::find(conn, id)?));
        Ok(found.await?)
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
