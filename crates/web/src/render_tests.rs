#![allow(clippy::unwrap_used)]
use super::*;
use contract::{Currency, HoldId, Money, Refusal, ReservationId, events::Tally, refusal::DeclineReason};
use serde_json::{Value, json};
use uuid::Uuid;
use views::reservation::Reservation;

fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::USD)
}

fn a_show() -> Show {
    Show {
        show_id: ShowId(id(1)),
        name: "Concierto".into(),
        description: None,
        starts_at_ms: Timestamp(1_000),
        venue: "Teatro".into(),
        price: usd(4_990),
        category: Some("rock".into()),
        limit_per_user: 10,
        cancelled: false,
        numbered: true,
        capacity: 6,
        tally: Tally {
            free: 3,
            held: 2,
            sold: 1,
        },
        search: String::new(),
        unsettled: 1,
        scheduled_at_ms: Timestamp(0),
        organiser: None,
        revision: 3,
    }
}

fn a_reservation(status: Status, refusal: Option<Refusal>) -> Reservation {
    let steps = Step::ALL.map(|step| StepView {
        step,
        state: None,
        at_ms: None,
    });
    let mut doc = Reservation {
        reservation_id: ReservationId(id(2)),
        user_id: UserId(id(3)),
        show_id: ShowId(id(1)),
        quantity: 2,
        seats: Vec::new(),
        amount: usd(10_000),
        status,
        refusal,
        failed_step: None,
        steps: steps.into(),
        created_at_ms: Timestamp(0),
        confirmed_at_ms: None,
        settled_at_ms: None,
        open: 1,
        stuck: None,
        fingerprint: None,
        revision: 0,
    };
    doc.steps[0] = StepView {
        step: Step::ValidateUser,
        state: Some(StepState::Done),
        at_ms: Some(Timestamp(5)),
    };
    doc
}

#[test]
fn a_show_is_shown_as_in_the_contract() {
    assert_eq!(
        serde_json::to_value(show(&a_show(), Timestamp(999))).unwrap(),
        json!({
            "evento_id": id(1), "nombre": "Concierto", "descripcion": null, "fecha": "1970-01-01T00:00:01.000Z",
            "lugar": "Teatro", "precio": 49.9, "moneda": "USD", "categoria": "rock", "max_por_usuario": 10,
            "estado": "activo", "aforo_total": 6, "entradas_disponibles": 3, "entradas_retenidas": 2,
            "entradas_vendidas": 1, "numerado": true,
        })
    );
}

#[test]
fn a_show_is_over_for_buyers_when_it_begins_and_a_cancelled_one_stays_cancelled() {
    assert_eq!(
        show_state(false, Timestamp(1_000), Timestamp(999)),
        EstadoEvento::Activo
    );
    assert_eq!(
        show_state(false, Timestamp(1_000), Timestamp(1_000)),
        EstadoEvento::Finalizado
    );
    assert_eq!(
        show_state(true, Timestamp(1_000), Timestamp(1_000)),
        EstadoEvento::Cancelado
    );
}

#[test]
fn seats_are_shown_row_by_row() {
    let section = SectionSeats {
        name: "Platea".into(),
        price: usd(5_000),
        rows: 2,
        seats_per_row: 2,
        aisles: vec![],
        states: "fhsf".into(),
    };
    let map = SeatMap {
        show_id: ShowId(id(1)),
        price: usd(5_000),
        sections: vec![section],
        revision: 7,
    };
    assert_eq!(
        serde_json::to_value(seat_map(&map)).unwrap(),
        json!({"evento_id": id(1), "version": 7, "secciones": [{"nombre": "Platea", "precio": 50, "filas": [
            {"fila": "A", "asientos": [
                {"asiento": "Platea-A-1", "estado": "libre"}, {"asiento": "Platea-A-2", "estado": "retenido"}]},
            {"fila": "B", "asientos": [
                {"asiento": "Platea-B-1", "estado": "vendido"}, {"asiento": "Platea-B-2", "estado": "libre"}]},
        ]}]})
    );
}

#[test]
fn blocked_places_are_left_out_the_others_keep_their_names_and_aisles_are_told() {
    let section = SectionSeats {
        name: "Palco".into(),
        price: usd(5_000),
        rows: 2,
        seats_per_row: 3,
        aisles: vec![1],
        states: "xfhxxx".into(),
    };
    let map = SeatMap {
        show_id: ShowId(id(1)),
        price: usd(5_000),
        sections: vec![section],
        revision: 7,
    };
    assert_eq!(
        serde_json::to_value(seat_map(&map)).unwrap()["secciones"][0],
        json!({"nombre": "Palco", "precio": 50, "pasillos": [1], "filas": [
            {"fila": "A", "asientos": [
                {"asiento": "Palco-A-2", "estado": "libre"}, {"asiento": "Palco-A-3", "estado": "retenido"}]},
            {"fila": "B", "asientos": []},
        ]})
    );
}

#[test]
fn a_reservation_shows_its_six_steps_and_what_is_not_there_yet_as_null_or_not_at_all() {
    let shown = serde_json::to_value(reservation(&a_reservation(Status::Pending, None))).unwrap();
    assert_eq!(shown["estado"], "pendiente");
    assert_eq!(shown["monto_total"], 100);
    assert_eq!(
        shown["documentos"],
        json!({"estado": "pendiente", "entradas": []})
    );
    assert_eq!(shown["asientos"], json!([]));
    let steps: Vec<&Value> = shown["pasos"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| &step["paso"])
        .collect();
    let names = [
        "validar_usuario",
        "validar_evento",
        "reservar_inventario",
        "procesar_pago",
        "actualizar_historial",
        "confirmar_reserva",
    ];
    assert_eq!(steps, names);
    assert_eq!(shown["pasos"][0]["en"], "1970-01-01T00:00:00.005Z");
    assert_eq!(
        shown["pasos"][1],
        json!({"paso": "validar_evento", "estado": "pendiente", "en": null})
    );
    assert!(shown.get("motivo").is_none() && shown.get("confirmada_en").is_none());
}

#[test]
fn a_reservation_that_came_to_nothing_is_a_problem_that_carries_it() {
    let declined = Refusal::PaymentDeclined {
        reason: DeclineReason::Declined,
    };
    let problem = rejection(&a_reservation(Status::Rejected, Some(declined.clone()))).unwrap();
    assert_eq!(problem.code().status(), 402);
    let shown = serde_json::to_value(&problem).unwrap();
    assert_eq!(shown["reserva"]["estado"], "rechazada");
    assert_eq!(shown["reserva"]["motivo"], "PAGO_RECHAZADO");
    assert!(
        rejection(&a_reservation(Status::Pending, Some(declined))).is_none(),
        "still being undone"
    );
    assert!(rejection(&a_reservation(Status::Confirmed, None)).is_none());
}

#[test]
fn a_hold_is_over_at_its_deadline_whether_or_not_that_was_recorded() {
    let grant = HoldGrant {
        hold_id: HoldId(id(4)),
        quantity: 2,
        seats: Vec::new(),
        amount: usd(10_000),
        deadline_ms: Timestamp(50),
    };
    let status = |phase| HoldStatus {
        grant: grant.clone(),
        user_id: UserId(id(3)),
        phase,
        fingerprint: None,
    };
    let active = status(HoldPhase::Active { reservation_id: None });
    assert_eq!(
        hold(&active, ShowId(id(1)), Timestamp(49)).estado,
        EstadoBloqueo::Activo
    );
    assert_eq!(
        hold(&active, ShowId(id(1)), Timestamp(50)).estado,
        EstadoBloqueo::Terminado
    );
    let sold = status(HoldPhase::Sold {
        reservation_id: ReservationId(id(2)),
    });
    let shown = serde_json::to_value(hold(&sold, ShowId(id(1)), Timestamp(99))).unwrap();
    assert_eq!(shown["estado"], "vendido");
    assert_eq!(shown["expira_en"], "1970-01-01T00:00:00.050Z");
    assert!(
        shown.get("asientos").is_none(),
        "general admission has a count only"
    );
}

#[test]
fn every_kind_of_document_has_a_name() {
    for (name, kind) in DOCUMENT_TYPES {
        assert_eq!(document_type(kind), name);
    }
}
