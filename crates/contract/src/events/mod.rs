//! Domain events: all that is ever in the log. Each type is one version of one event and never changes; a new
//! form is a new type with a new kind (`….v2`), and `decode` turns the old one into the new (an upcaster). Where
//! the new form is the old one and something more, one type is both, and what it holds says which it is.
//! A golden JSON file for each stands in `crates/contract/golden` and is never edited.

pub mod access;
pub mod layout;
pub mod payment;
pub mod reservation;
pub mod show;
pub mod user;

pub use access::*;
pub use layout::*;
pub use payment::*;
pub use reservation::*;
pub use show::*;
pub use user::*;

use serde::{Serialize, de::Error as _};

macro_rules! events {
    ($($kind:literal $(| $later:literal if $is_later:ident)? => $name:ident),+ $(,)?) => {
        /// Any domain event.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
        #[serde(untagged)]
        pub enum Event {
            $(#[doc = concat!("`", $kind, "`" $(, " or `", $later, "`")?)] $name($name),)+
        }

        impl Event {
            /// Every kind that this program writes and reads.
            pub const KINDS: &'static [&'static str] = &[$($kind $(, $later)?),+];

            /// The kind under which it is stored: name and version.
            pub fn kind(&self) -> &'static str {
                match self {
                    $($(Event::$name(event) if event.$is_later() => $later,)?
                    Event::$name(_) => $kind,)+
                }
            }

            /// Reads a stored event. `None` when the kind is not one of this platform's.
            pub fn decode(kind: &str, data: &[u8]) -> Option<Result<Event, serde_json::Error>> {
                let event = match kind {
                    $($kind $(| $later)? => serde_json::from_slice::<$name>(data).map(Event::$name),)+
                    _ => return None,
                };
                // Where one type is two kinds, neither may pass for the other.
                Some(event.and_then(|event| match event.kind() == kind {
                    true => Ok(event),
                    false => Err(serde_json::Error::custom(format!("it is a {}", event.kind()))),
                }))
            }
        }

        $(impl From<$name> for Event {
            fn from(event: $name) -> Event { Event::$name(event) }
        })+
    };
}

events! {
    "user_registered.v1" => UserRegistered,
    "purchase_recorded.v1" => PurchaseRecorded,
    "purchase_unrecorded.v1" => PurchaseUnrecorded,
    "user_forgotten.v1" => UserForgotten,
    "email_claimed.v1" => EmailClaimed,
    "email_released.v1" => EmailReleased,
    "key_claimed.v1" => KeyClaimed,
    "show_scheduled.v1" | "show_scheduled.v2" if has_blocked => ShowScheduled,
    "tickets_held.v1" => TicketsHeld,
    "hold_adopted.v1" => HoldAdopted,
    "hold_released.v1" => HoldReleased,
    "tickets_sold.v1" => TicketsSold,
    "tickets_returned.v1" => TicketsReturned,
    "show_cancelled.v1" => ShowCancelled,
    "reservation_requested.v1" => ReservationRequested,
    "reservation_progressed.v1" => ReservationProgressed,
    "compensation_started.v1" => CompensationStarted,
    "reservation_confirmed.v1" => ReservationConfirmed,
    "reservation_rejected.v1" => ReservationRejected,
    "cancellation_requested.v1" => CancellationRequested,
    "reservation_cancelled.v1" => ReservationCancelled,
    "saga_stuck.v1" => SagaStuck,
    "saga_resumed.v1" => SagaResumed,
    "payment_captured.v1" => PaymentCaptured,
    "payment_declined.v1" => PaymentDeclined,
    "payment_voided.v1" => PaymentVoided,
    "payment_refunded.v1" => PaymentRefunded,
    "roles_changed.v1" => RolesChanged,
    "session_opened.v1" => SessionOpened,
    "session_renewed.v1" => SessionRenewed,
    "session_closed.v1" => SessionClosed,
    "login_failed.v1" => LoginFailed,
    "data_disclosed.v1" => DataDisclosed,
}
