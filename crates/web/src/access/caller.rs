//! From whom a request comes, and how far they reach.

use crate::{codes::Code, problem::Problem};
use contract::{Actor, Role, SessionId, Timestamp, UserId};
use std::{borrow::Cow, collections::BTreeSet};

/// What somebody is, each once.
pub type RoleSet = BTreeSet<Role>;

/// From whom a request comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Nobody was asked: `dev` without a token, and a side's own tests.
    Operator,
    /// Somebody without a token, at an endpoint that needs none.
    Anonymous,
    /// Somebody who is logged in.
    User {
        /// Who.
        user_id: UserId,
        /// Since which log-in.
        session: SessionId,
    },
}

/// Whose things an endpoint gives to a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// The caller's own.
    Own,
    /// Everybody's.
    All,
}

/// From whom a request comes, and how far they reach at the endpoint that they called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    who: Who,
    roles: RoleSet,
    reach: Reach,
    expires_at: Option<Timestamp>,
}

impl Caller {
    /// Whoever runs the program: may everything.
    pub fn operator() -> Self {
        Self {
            who: Who::Operator,
            roles: RoleSet::from([Role::Admin]),
            reach: Reach::All,
            expires_at: None,
        }
    }

    /// Somebody who did not say who they are.
    pub fn anonymous() -> Self {
        Self {
            who: Who::Anonymous,
            roles: RoleSet::new(),
            reach: Reach::Own,
            expires_at: None,
        }
    }

    /// Somebody who is logged in, with the reach that the endpoint's row gives them.
    pub fn logged_in(user_id: UserId, session: SessionId, roles: RoleSet, reach: Reach) -> Self {
        Self {
            who: Who::User { user_id, session },
            roles,
            reach,
            expires_at: None,
        }
    }

    /// The same with the time at which their token expires.
    #[must_use]
    pub fn until(self, expires_at: Timestamp) -> Self {
        let expires_at = Some(expires_at);
        Self { expires_at, ..self }
    }

    /// From whom the request comes.
    pub fn who(&self) -> Who {
        self.who
    }

    /// Who it was, for the log: the user's id, `admin` for an operator, `anonymous` for nobody. Never a name.
    pub fn actor(&self) -> Actor {
        match self.who {
            Who::Operator => Cow::Borrowed("admin"),
            Who::Anonymous => Cow::Borrowed("anonymous"),
            Who::User { user_id, .. } => Cow::Owned(user_id.to_string()),
        }
    }

    /// The user who is logged in.
    pub fn user(&self) -> Option<UserId> {
        match self.who {
            Who::User { user_id, .. } => Some(user_id),
            Who::Operator | Who::Anonymous => None,
        }
    }

    /// The session that their token belongs to.
    pub fn session(&self) -> Option<SessionId> {
        match self.who {
            Who::User { session, .. } => Some(session),
            Who::Operator | Who::Anonymous => None,
        }
    }

    /// Their roles.
    pub fn roles(&self) -> &RoleSet {
        &self.roles
    }

    /// Is this one of their roles?
    pub fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// When their token expires; `None` without one.
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.expires_at
    }

    /// Whether everybody's things are within reach, at this endpoint.
    pub fn reaches_all(&self) -> bool {
        self.reach == Reach::All
    }

    /// Whether what belongs to `owner` is within reach.
    ///
    /// # Errors
    /// `SIN_PERMISO` when it is another's and the caller reaches only their own; `NO_AUTENTICADO` when they did not say
    /// who they are.
    pub fn reaches(&self, owner: UserId) -> Result<(), Problem> {
        self.reaches_some(Some(owner))
    }

    /// [`Caller::reaches`] for what may belong to nobody: that is only for whoever reaches everything.
    ///
    /// # Errors
    /// As [`Caller::reaches`].
    pub fn reaches_some(&self, owner: Option<UserId>) -> Result<(), Problem> {
        if self.reaches_all() {
            return Ok(());
        }
        match self.user() {
            None => Err(Problem::new(Code::Unauthenticated)),
            Some(user) if owner == Some(user) => Ok(()),
            Some(_) => Err(Problem::new(Code::Forbidden).detail("Es de otra persona.")),
        }
    }
}

/// A role's word in the API and in tokens.
pub fn role_word(role: Role) -> &'static str {
    match role {
        Role::Customer => "cliente",
        Role::Organiser => "organizador",
        Role::Gate => "puerta",
        Role::Auditor => "auditor",
        Role::Admin => "admin",
    }
}

/// The role with this word.
pub fn role_from(word: &str) -> Option<Role> {
    Role::ALL.into_iter().find(|role| role_word(*role) == word)
}

#[cfg(test)]
#[path = "caller_tests.rs"]
mod tests;
