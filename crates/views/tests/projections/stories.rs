//! What happens to a show, a reservation and a person.

use crate::*;

pub fn show_story() -> Vec<Event> {
    let section = |name: &str, price| Section {
        name: name.into(),
        rows: 2,
        seats_per_row: 3,
        price,
        ..Section::default()
    };
    let seats = |names: &[&str]| names.iter().map(|&name| name.into()).collect::<Vec<String>>();
    let hold = |hold_id, names: &[&str], tally| TicketsHeld {
        hold_id,
        user_id: USER,
        reservation_id: None,
        quantity: 2,
        seats: seats(names),
        amount: usd(8_000),
        deadline_ms: Timestamp(900),
        tally,
        fingerprint: None,
    };
    let other = HoldId(Uuid::from_u128(9));
    vec![
        ShowScheduled {
            show_id: SHOW,
            name: "El Año".into(),
            description: None,
            starts_at_ms: Timestamp(5_000),
            venue: "Peñón".into(),
            price: usd(4_000),
            category: Some("Ópera".into()),
            limit_per_user: 4,
            layout: Layout::Numbered {
                sections: vec![section("Platea", None), section("Palco-Alto", Some(usd(9_000)))],
            },
            scheduled_at_ms: Timestamp(10),
            organiser: None,
            fingerprint: None,
        }
        .into(),
        hold(HOLD, &["Platea-B-1", "Palco-Alto-A-3"], tally(10, 2, 0)).into(),
        HoldAdopted {
            hold_id: HOLD,
            reservation_id: RESERVATION,
        }
        .into(),
        hold(other, &["Platea-A-1", "Platea-A-2"], tally(8, 4, 0)).into(),
        TicketsSold {
            hold_id: HOLD,
            reservation_id: RESERVATION,
            user_id: USER,
            quantity: 2,
            seats: seats(&["Platea-B-1", "Palco-Alto-A-3"]),
            amount: usd(8_000),
            tally: tally(8, 2, 2),
        }
        .into(),
        HoldReleased {
            hold_id: other,
            reason: ReleaseReason::ShowCancelled,
            quantity: 2,
            seats: seats(&["Platea-A-1", "Platea-A-2"]),
            tally: tally(10, 0, 2),
        }
        .into(),
        ShowCancelled {
            show_id: SHOW,
            tally: tally(10, 0, 2),
            at_ms: Timestamp(60),
        }
        .into(),
        TicketsReturned {
            hold_id: HOLD,
            reservation_id: RESERVATION,
            user_id: USER,
            quantity: 2,
            seats: seats(&["Platea-B-1", "Palco-Alto-A-3"]),
            tally: tally(12, 0, 0),
        }
        .into(),
    ]
}

pub fn requested() -> Event {
    ReservationRequested {
        reservation_id: RESERVATION,
        user_id: USER,
        show_id: SHOW,
        choice: Choice::Seats {
            seats: vec!["Platea-A-1".into(), "Platea-A-2".into()],
        },
        quantity: 2,
        amount: usd(8_000),
        payment_token: "tok_ok".into(),
        line_until_ms: Timestamp(100),
        requested_at_ms: Timestamp(20),
        checked: None,
        fingerprint: None,
    }
    .into()
}

pub fn progressed() -> Event {
    let done = |of| step(of, StepState::Done);
    ReservationProgressed {
        steps: vec![
            done(Step::ValidateUser),
            done(Step::ValidateShow),
            done(Step::HoldInventory),
        ],
        hold: Some(grant(&["Platea-A-1", "Platea-A-2"])),
    }
    .into()
}

pub fn confirmed() -> Event {
    ReservationConfirmed {
        reservation_id: RESERVATION,
        user_id: USER,
        show_id: SHOW,
        grant: grant(&["Platea-A-1", "Platea-A-2"]),
        steps: vec![step(Step::TakePayment, StepState::Done)],
        confirmed_at_ms: Timestamp(70),
    }
    .into()
}

pub fn rejected(refusal: Refusal) -> Event {
    ReservationRejected {
        reservation_id: RESERVATION,
        steps: vec![step(Step::HoldInventory, StepState::Compensated)],
        failed_step: Step::TakePayment,
        refusal,
        at_ms: Timestamp(80),
    }
    .into()
}

pub fn stuck() -> Event {
    SagaStuck {
        reservation_id: RESERVATION,
        step: Step::TakePayment,
        detail: "the gateway is away".into(),
        steps: vec![],
        at_ms: Timestamp(75),
    }
    .into()
}

pub fn cancelling() -> Event {
    CancellationRequested {
        reservation_id: RESERVATION,
        reason: CancelReason::Buyer,
        at_ms: Timestamp(90),
    }
    .into()
}

pub fn cancelled() -> Event {
    let steps = vec![step(Step::TakePayment, StepState::Compensated)];
    ReservationCancelled {
        reservation_id: RESERVATION,
        steps,
        at_ms: Timestamp(95),
    }
    .into()
}

pub fn user_story() -> Vec<Event> {
    let sealed = |text: &str| Sealed::from_bytes(text.as_bytes().to_vec());
    let purchase = |reservation_id| PurchaseRecorded {
        reservation_id,
        show_id: SHOW,
        show_name: "El Año".into(),
        category: None,
        quantity: 2,
        amount: usd(8_000),
        at_ms: Timestamp(70),
    };
    vec![
        UserRegistered {
            user_id: USER,
            document_type: DocumentType::Rut,
            document: sealed("a"),
            given_name: sealed("b"),
            family_name: sealed("c"),
            email: sealed("d"),
            email_pseudonym: contract::Digest::ZERO,
            password: Some(sealed("e")),
            registered_at_ms: Timestamp(5),
            fingerprint: None,
        }
        .into(),
        purchase(RESERVATION).into(),
        purchase(ReservationId(Uuid::from_u128(33))).into(),
        PurchaseUnrecorded {
            reservation_id: RESERVATION,
            at_ms: Timestamp(95),
        }
        .into(),
    ]
}
