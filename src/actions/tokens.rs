//! Minting tokens, how long they work, and finding out what they open.

use std::time::Duration;

use super::{Ctx, Outcome, Refusal, Tx, refuse};
use crate::crypto::lookup::KeyedHash;
use crate::crypto::token::{Purpose, Token};
use crate::domain::clock::Ts;
use crate::domain::ids::{CoordinatorId, MatchId, RecordId, RequestId};
use crate::domain::part::Part;
use crate::storage::coordinators::Scope;
use crate::storage::matches::Match;
use crate::storage::tokens::TokenRow;
use crate::storage::{StorageError, coordinators, matches, requests, tokens};

/// How many times a confirm link works: for a double press, a second look and a lost answer.
const CONFIRMS: i32 = 3;
/// Tokens that one person or match may have of a purpose: letters mint one each, and nobody needs those
/// of a year ago.
const LIVE: usize = 50;
/// How long after a request's end its volunteers can still say how it went, or report a problem.
const ANSWERABLE: Duration = Duration::from_hours(7 * 24);

impl Tx<'_> {
    /// Lets a new token work for `subject` and gives it in clear, once.
    pub(crate) fn mint(
        &mut self,
        purpose: Purpose,
        subject: impl Into<RecordId>,
        expires_at: Option<Ts>,
    ) -> Outcome<Token> {
        let (token, row) = self.new_token(purpose, subject.into(), expires_at);
        tokens::insert(self.conn, &row)?;
        if purpose == Purpose::Confirm {
            tokens::limit_uses(self.conn, row.hash, CONFIRMS)?;
        }
        tokens::keep_newest(self.conn, row.subject_id, purpose, row.hash, LIVE)?;
        Ok(token)
    }

    /// As [`Tx::mint`], for a token that goes out in a letter to an address.
    pub(crate) fn mint_mailed(
        &mut self,
        purpose: Purpose,
        subject: RecordId,
        address: KeyedHash,
    ) -> Outcome<Token> {
        let (token, row) = self.new_token(purpose, subject, None);
        tokens::insert_mailed(self.conn, &row, address)?;
        tokens::keep_newest(self.conn, subject, purpose, row.hash, LIVE)?;
        Ok(token)
    }

    fn new_token(
        &self,
        purpose: Purpose,
        subject_id: RecordId,
        expires_at: Option<Ts>,
    ) -> (Token, TokenRow) {
        let token = Token::mint(purpose, self.ctx.entropy.as_ref());
        let row = TokenRow {
            hash: token.hash(&self.keys.hasher),
            purpose,
            subject_id,
            created_at: self.now,
            expires_at,
        };
        (token, row)
    }

    /// As [`Tx::mint`], and every earlier token of that purpose ends.
    pub(crate) fn mint_only(
        &mut self,
        purpose: Purpose,
        subject: impl Into<RecordId>,
    ) -> Outcome<Token> {
        let subject = subject.into();
        tokens::revoke(self.conn, subject, purpose)?;
        self.mint(purpose, subject, None)
    }

    /// Counts one use of a token whose uses are limited, in the transaction that uses it.
    pub(crate) fn use_up(&mut self, token: &Token) -> Outcome<()> {
        let hash = token.hash(&self.keys.hasher);
        if tokens::use_up(self.conn, hash, token.purpose(), self.now)? {
            Ok(())
        } else {
            refuse(Refusal::NotFound)
        }
    }

    /// Until when an answer token of the match works; for as long as its request stands there is no end.
    pub(crate) fn answerable_until(&mut self, id: MatchId) -> Outcome<Option<Ts>> {
        let request = match matches::find(self.conn, id)? {
            Some(matched) => requests::find(self.conn, matched.request_id)?,
            None => None,
        };
        let closed_at = request.and_then(|r| r.closed_at);
        Ok(closed_at.map(|at| at.after(ANSWERABLE)))
    }

    /// The request is closed: the answer tokens of its matches end soon.
    pub(crate) fn let_answers_end(&mut self, id: RequestId) -> Outcome<()> {
        let all = matches::of_request(self.conn, id)?;
        let all: Vec<RecordId> = all.iter().map(|m| m.id.into()).collect();
        let at = self.now.after(ANSWERABLE);
        tokens::expire(self.conn, &all, Purpose::Answer, at)?;
        Ok(())
    }

    /// Their volunteer is gone: the answer tokens of these matches end at once.
    pub(crate) fn end_answers(&mut self, all: &[Match]) -> Outcome<()> {
        let all: Vec<RecordId> = all.iter().map(|m| m.id.into()).collect();
        tokens::expire(self.conn, &all, Purpose::Answer, self.now)?;
        Ok(())
    }
}

/// What a token opens, if it works now.
///
/// # Errors
/// A failed query.
pub async fn subject_of(ctx: &Ctx, token: &Token) -> Result<Option<RecordId>, StorageError> {
    let hash = token.hash(&ctx.vault.keys()?.hasher);
    let (purpose, now) = (token.purpose(), ctx.now());
    ctx.db
        .read(move |conn| Ok::<_, StorageError>(tokens::find(conn, hash, purpose, now)?))
        .await
}

/// Who coordinates, and what they may do and reach.
#[derive(Clone, Debug)]
pub struct Access {
    /// Who.
    pub id: CoordinatorId,
    /// What they may do.
    pub scope: Scope,
    /// What they reach.
    pub part: Part,
}

/// The coordinator that a token belongs to, unless access was revoked.
///
/// # Errors
/// A failed query.
pub async fn coordinator_of(ctx: &Ctx, token: &Token) -> Result<Option<Access>, StorageError> {
    let hash = token.hash(&ctx.vault.keys()?.hasher);
    let (purpose, now) = (token.purpose(), ctx.now());
    if purpose != Purpose::Coordinator {
        return Ok(None);
    }
    let found = ctx.db.read(move |conn| {
        let Some(id) = tokens::find(conn, hash, purpose, now)? else {
            return Ok(None);
        };
        Ok::<_, StorageError>(coordinators::find(conn, id.into())?)
    });
    let found = found.await?.filter(|c| c.revoked_at.is_none());
    Ok(found.map(|c| Access {
        id: c.id,
        scope: c.scope,
        part: ctx.part_of(&c),
    }))
}

/// The subject of a token that somebody pasted, if it is of the purpose that is needed.
///
/// # Errors
/// [`Refusal::NotFound`] for anything that does not open what it should.
pub async fn open(ctx: &Ctx, text: &str, purpose: Purpose) -> Outcome<RecordId> {
    let Some(token) = Token::parse(text).filter(|t| t.purpose() == purpose) else {
        return refuse(Refusal::NotFound);
    };
    match subject_of(ctx, &token).await? {
        Some(subject) => Ok(subject),
        None => refuse(Refusal::NotFound),
    }
}
