//! The collections of the read models and the fields by which each is found: what a store must index.

/// A set of documents of one kind. A document is a JSON object under a key.
#[derive(Debug, PartialEq, Eq)]
pub struct Collection {
    /// Its name, in tables, keys and metrics.
    pub name: &'static str,
    /// The indexes. Within each, documents are ordered by the fields and then by key. One that is added here is made
    /// by every store when it is next opened, over the documents that it has.
    pub indexes: &'static [&'static [&'static str]],
}

/// Shows with their availability. Small and hot.
pub static SHOWS: Collection = Collection {
    name: "shows",
    indexes: &[
        &["starts_at_ms"],
        &["category", "starts_at_ms"],
        &["organiser", "starts_at_ms"],
        &["unsettled"],
    ],
};
/// Seat maps of numbered shows, beside their shows because they are large and change with every seat.
pub static SEAT_MAPS: Collection = Collection {
    name: "seat_maps",
    indexes: &[],
};
/// People, their personal fields sealed.
pub static USERS: Collection = Collection {
    name: "users",
    indexes: &[],
};
/// Purchases, one document each, referenced by user because a history has no bound.
pub static PURCHASES: Collection = Collection {
    name: "purchases",
    indexes: &[&["user_id", "at_ms"]],
};
/// The latest purchases of a person in one document: only where documents are read by key alone.
pub static RECENT: Collection = Collection {
    name: "recent_purchases",
    indexes: &[],
};
/// Reservations with their steps.
pub static RESERVATIONS: Collection = Collection {
    name: "reservations",
    indexes: &[&["open"]],
};
/// Sessions and people whose tokens are no longer valid. Small, and looked at with every request.
pub static REVOCATIONS: Collection = Collection {
    name: "revocations",
    indexes: &[],
};
/// Streams that could not be projected any further, by their names: for operators.
pub static PARKED: Collection = Collection {
    name: "parked",
    indexes: &[],
};

/// Every collection.
pub static ALL: [&Collection; 8] = [
    &SHOWS,
    &SEAT_MAPS,
    &USERS,
    &PURCHASES,
    &RECENT,
    &RESERVATIONS,
    &REVOCATIONS,
    &PARKED,
];

/// Those of a store that can search: what is there only to spare a search is left out.
pub static SEARCHED: [&Collection; 7] = [
    &SHOWS,
    &SEAT_MAPS,
    &USERS,
    &PURCHASES,
    &RESERVATIONS,
    &REVOCATIONS,
    &PARKED,
];
