//! What people make of their letters.

use super::city::{Act, City, End};
use super::postbag::token_in;
use crate::crypto::token::Purpose;
use crate::domain::ids::{MatchId, RequestId};
use crate::domain::letter::LetterKind;
use crate::domain::need::Urgency;
use crate::mail::message::Message;
use crate::storage::letters::{Letter, RecipientKind};
use crate::storage::matches::Match;
use crate::storage::requests::Request;
use crate::storage::{StorageError, matches, requests};

impl City {
    /// Plans what the recipient does about a letter; often that is nothing.
    pub(super) async fn react(&mut self, message: &Message, letter: &Letter) -> anyhow::Result<()> {
        let to = message.to.expose();
        match (letter.kind, letter.to_kind) {
            (LetterKind::Confirm, _) => {
                let dice = self.dice(&format!("confirm {to}"));
                if let Some(token) = token_in(&message.text, Purpose::Confirm)
                    && dice.chance(0.96)
                {
                    self.plan_in(dice.minutes(1, 20), Act::Confirm(token));
                }
            }
            (LetterKind::Received, RecipientKind::Neighbor) => {
                self.show_link("neighbor", message, Purpose::Neighbor);
            }
            (LetterKind::Received, RecipientKind::Volunteer) => {
                self.show_link("volunteer", message, Purpose::Volunteer);
            }
            (LetterKind::Asked, _) => self.asked(message, letter).await?,
            (LetterKind::Agree, RecipientKind::Neighbor) => {
                self.may_come(message, letter).await?;
            }
            (LetterKind::Accepted | LetterKind::Contact, RecipientKind::Volunteer) => {
                self.settled(message, letter).await?;
            }
            _ => {}
        }
        Ok(())
    }

    /// The first link of its kind, for whoever watches.
    fn show_link(&mut self, whose: &'static str, message: &Message, purpose: Purpose) {
        let Some(token) = token_in(&message.text, purpose) else {
            return;
        };
        if self.shown.insert(whose) {
            let base = self
                .ctx
                .settings
                .server
                .public_url
                .as_str()
                .trim_end_matches('/');
            let link = format!("{base}/manage#{}", token.expose());
            self.screen
                .line(&format!("\nThe manage link of one {whose}: {link}\n"));
        }
    }

    /// About a third says yes, a quarter no, the others nothing.
    async fn asked(&mut self, message: &Message, letter: &Letter) -> anyhow::Result<()> {
        let Some(token) = token_in(&message.text, Purpose::Answer) else {
            return Ok(());
        };
        let Some(request) = self.request(letter.request_id).await? else {
            return Ok(());
        };
        let to = message.to.expose();
        let nth = self.asks.entry(to.to_owned()).or_default();
        *nth += 1;
        let name = format!("ask {to} {nth}");
        let dice = self.dice(&name);
        let (yes, wait) = match request.urgency {
            Urgency::Now => (0.40, dice.minutes(1, 12)),
            Urgency::Today => (0.35, dice.minutes(3, 100)),
            Urgency::Soon => (0.30, dice.minutes(10, 600)),
        };
        match dice.fraction() {
            drawn if drawn < yes => self.plan_in(wait, Act::Answer(token, true)),
            drawn if drawn < yes + 0.25 => self.plan_in(wait, Act::Answer(token, false)),
            _ => {}
        }
        Ok(())
    }

    async fn may_come(&mut self, message: &Message, letter: &Letter) -> anyhow::Result<()> {
        let (Some(token), Some(id)) = (token_in(&message.text, Purpose::Neighbor), letter.match_id)
        else {
            return Ok(());
        };
        let Some(request) = self.request(letter.request_id).await? else {
            return Ok(());
        };
        let dice = self.dice(&format!("agree {id}"));
        let wait = match request.urgency {
            Urgency::Now => dice.minutes(1, 12),
            Urgency::Today => dice.minutes(2, 90),
            Urgency::Soon => dice.minutes(5, 480),
        };
        match dice.fraction() {
            ..0.84 => self.plan_in(wait, Act::Agree(token, id, true)),
            ..0.94 => self.plan_in(wait, Act::Agree(token, id, false)),
            _ => {}
        }
        Ok(())
    }

    /// Contacts are released: the help is given after a while, mostly.
    async fn settled(&mut self, message: &Message, letter: &Letter) -> anyhow::Result<()> {
        let Some(matched) = self.matched(letter.match_id).await? else {
            return Ok(());
        };
        let Some(request) = self.request(letter.request_id).await? else {
            return Ok(());
        };
        let Some(token) = token_in(&message.text, Purpose::Answer) else {
            return Ok(());
        };
        if !matched.is_released() {
            return Ok(());
        }
        let dice = self.dice(&format!("end {}", matched.id));
        let neighbor = request.neighbor_id;
        let wait = match request.urgency {
            Urgency::Now => dice.minutes(25, 120),
            Urgency::Today => dice.minutes(45, 300),
            Urgency::Soon => dice.minutes(120, 800),
        };
        let end = match dice.fraction() {
            ..0.45 => End::DoneByVolunteer(token),
            ..0.90 => End::DoneByNeighbor(neighbor, matched.id),
            ..0.94 => End::NoShow(neighbor, matched.id),
            ..0.98 => End::Release(token),
            // Nobody says anything.
            _ => return Ok(()),
        };
        self.plan_in(wait, Act::End(end));
        Ok(())
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
