//! What people may be. What each role may do stands in one table: `web::access`.

use serde::{Deserialize, Serialize};

/// A role. Everybody who registers is a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Buys, and reaches only what is their own.
    Customer,
    /// Schedules shows, and reaches only their own.
    Organiser,
    /// Scans tickets.
    Gate,
    /// Reads what happened, and takes exports.
    Auditor,
    /// Everything.
    Admin,
}

impl Role {
    /// Every role.
    pub const ALL: [Role; 5] = [
        Role::Customer,
        Role::Organiser,
        Role::Gate,
        Role::Auditor,
        Role::Admin,
    ];
}
