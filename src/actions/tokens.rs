//! Minting tokens and finding out what they open.

use super::{Ctx, Outcome, Refusal, Tx, refuse};
use crate::crypto::lookup::KeyedHash;
use crate::crypto::token::{Purpose, Token};
use crate::domain::clock::Ts;
use crate::domain::ids::{CoordinatorId, RecordId};
use crate::storage::coordinators::Scope;
use crate::storage::tokens::TokenRow;
use crate::storage::{StorageError, coordinators, tokens};

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

/// The coordinator that a token belongs to, with the scope, unless access was revoked.
///
/// # Errors
/// A failed query.
pub async fn coordinator_of(
    ctx: &Ctx,
    token: &Token,
) -> Result<Option<(CoordinatorId, Scope)>, StorageError> {
    let hash = token.hash(&ctx.vault.keys()?.hasher);
    let (purpose, now) = (token.purpose(), ctx.now());
    if purpose != Purpose::Coordinator {
        return Ok(None);
    }
    ctx.db
        .read(move |conn| {
            let Some(id) = tokens::find(conn, hash, purpose, now)? else {
                return Ok(None);
            };
            let coordinator = coordinators::find(conn, id.into())?;
            Ok::<_, StorageError>(
                coordinator
                    .filter(|c| c.revoked_at.is_none())
                    .map(|c| (c.id, c.scope)),
            )
        })
        .await
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
