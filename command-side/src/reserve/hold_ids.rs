//! Ids of shows and holds. A hold's id tells its show, because buyers come with the hold alone
//! (`POST /api/comprar`), and the only authority over holds is their show.
//!
//! A UUID has room for both: the first half of a show's id is random and the second half follows from the first,
//! so the first half is enough to know the show. A hold's id begins with its show's first half. 60 random bits
//! tell shows apart, and 62 the holds of one show; should two shows ever get the same id, the store refuses the
//! second (`NoStream`).

use contract::{HoldId, ShowId};
use uuid::{Builder, Uuid, uuid};

/// Never change: ids in the log follow from these.
const SHOWS: Uuid = uuid!("0d4c7a52-91f3-5b8e-a6d1-7c20e95b3f48");
const SECOND_HALVES: Uuid = uuid!("b7e21f90-3c6d-5a14-8f72-d95016c4ae3b");
const HOLDS: Uuid = uuid!("52f8d6c1-e04b-57a9-93be-18c7f2a05d64");

/// The id of the show that a request makes.
pub fn show_id(request: Uuid) -> ShowId {
    let random = Uuid::new_v5(&SHOWS, request.as_bytes());
    complete(first_half(joined(random, random)))
}

/// The id of a hold that a request makes on a show.
pub fn hold_id(show: ShowId, request: Uuid) -> HoldId {
    let name = [show.0.into_bytes(), request.into_bytes()].concat();
    HoldId(joined(show.0, Uuid::new_v5(&HOLDS, &name)))
}

/// The show that a hold is on, if [`hold_id`] made its id for a show whose id [`show_id`] made. Any other id
/// gives the id of a show that does not exist.
pub fn show_of(hold: HoldId) -> ShowId {
    complete(first_half(hold.0))
}

fn complete(first: [u8; 8]) -> ShowId {
    let mut whole = [0; 16];
    whole[..8].copy_from_slice(&first);
    ShowId(joined(
        Uuid::from_bytes(whole),
        Uuid::new_v5(&SECOND_HALVES, &first),
    ))
}

fn first_half(id: Uuid) -> [u8; 8] {
    let mut first = [0; 8];
    first.copy_from_slice(&id.as_bytes()[..8]);
    first
}

/// The first half of one id and the second of another, as a UUID of version 8: made in our own way.
fn joined(first: Uuid, second: Uuid) -> Uuid {
    let mut bytes = first.into_bytes();
    bytes[8..].copy_from_slice(&second.as_bytes()[8..]);
    Builder::from_custom_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_hold_tells_its_show(show: u128, first: u128, second: u128) {
            let show = show_id(Uuid::from_u128(show));
            let hold = hold_id(show, Uuid::from_u128(first));
            prop_assert_eq!(show_of(hold), show);
            prop_assert_eq!(hold, hold_id(show, Uuid::from_u128(first)));
            prop_assert_eq!(hold == hold_id(show, Uuid::from_u128(second)), first == second);
        }
    }

    #[test]
    fn another_id_tells_a_show_that_is_not_there() {
        let show = show_id(Uuid::from_u128(1));
        assert_ne!(show_of(HoldId(Uuid::from_u128(7))), show);
        assert_eq!(show.0.get_version_num(), 8);
    }
}
