#![allow(clippy::unwrap_used)]
use super::*;
use uuid::Uuid;

const ANA: UserId = UserId(Uuid::from_u128(1));
const EVA: UserId = UserId(Uuid::from_u128(2));

fn ana(reach: Reach) -> Caller {
    Caller::logged_in(
        ANA,
        SessionId(Uuid::nil()),
        RoleSet::from([Role::Customer]),
        reach,
    )
}

#[test]
fn a_customer_reaches_what_is_their_own_and_nothing_else() {
    let ana = ana(Reach::Own);
    assert!(ana.reaches(ANA).is_ok());
    assert_eq!(ana.reaches(EVA).unwrap_err().code(), Code::Forbidden);
    assert_eq!(
        ana.reaches_some(None).unwrap_err().code(),
        Code::Forbidden,
        "nobody's is not theirs"
    );
    assert!(!ana.reaches_all());
}

#[test]
fn whoever_reaches_everything_reaches_what_is_nobodys_too() {
    for caller in [ana(Reach::All), Caller::operator()] {
        assert!(caller.reaches(EVA).is_ok() && caller.reaches_some(None).is_ok() && caller.reaches_all());
    }
}

#[test]
fn nobody_has_nothing() {
    let nobody = Caller::anonymous();
    assert_eq!(nobody.reaches(ANA).unwrap_err().code(), Code::Unauthenticated);
    assert_eq!(
        nobody.reaches_some(None).unwrap_err().code(),
        Code::Unauthenticated
    );
    assert_eq!((nobody.user(), nobody.session()), (None, None));
}

#[test]
fn the_log_is_told_who_it_was_and_never_a_name() {
    assert_eq!(ana(Reach::Own).actor(), ANA.to_string());
    assert_eq!(Caller::operator().actor(), "admin");
    assert_eq!(Caller::anonymous().actor(), "anonymous");
}

#[test]
fn every_role_has_its_word() {
    for role in Role::ALL {
        assert_eq!(role_from(role_word(role)), Some(role));
    }
    assert_eq!(role_from("Admin"), None);
}
