//! `mapa_asientos`: sections with aisles and with places where nothing is sold.

use crate::bed::{Bed, Reply, show, show_stream};
use contract::Event;
use serde_json::{Value, json};
use uuid::Uuid;
use web::json::MAX_BODY_BYTES;

fn with_sections(bed: &Bed, sections: &[Value]) -> Value {
    let mut body = show(bed);
    body["mapa_asientos"] = json!({ "secciones": sections });
    body
}

async fn schedule(bed: &Bed, sections: &[Value]) -> Reply {
    bed.post("/api/eventos", with_sections(bed, sections)).await
}

/// Platea, two rows of five, and something more.
fn platea(more: Value) -> Value {
    let mut section = json!({"nombre": "Platea", "filas": 2, "asientos_por_fila": 5});
    section
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    section
}

#[tokio::test]
async fn blocked_places_are_not_in_the_capacity_and_not_to_be_had() {
    let bed = Bed::new().await;
    let room = platea(json!({"pasillos": [2], "bloqueados": ["B-5", " A-1 "]}));
    let made = schedule(&bed, &[room]).await.expect(201);
    assert_eq!(
        (&made.body["aforo_total"], &made.body["entradas_disponibles"]),
        (&json!(8), &json!(8))
    );
    let id = made.id("evento_id");
    let (user, path) = (bed.user(1).await, format!("/api/eventos/{id}/bloqueos"));
    let ask = |seat: &str| json!({"usuario_id": user, "asientos": [seat]});
    let refused = |reply: Reply| {
        let reply = reply.refused(422, "DATOS_INVALIDOS");
        reply.body["errores"].clone()
    };
    let told: Vec<Value> = vec![
        refused(bed.post(&path, ask("Platea-A-1")).await),
        refused(bed.post(&path, ask("Platea-A-6")).await),
    ];
    let text = |fault: &Value| fault.to_string().replace("Platea-A-6", "Platea-A-1");
    assert_eq!(text(&told[0]), text(&told[1]), "as a seat that does not exist");
    let best = bed
        .post(&path, json!({"usuario_id": user, "cantidad": 3}))
        .await
        .expect(201);
    assert_eq!(
        best.body["asientos"],
        json!(["Platea-A-3", "Platea-A-4", "Platea-A-5"]),
        "on one side of the aisle"
    );
    let rest = bed
        .post(&path, json!({"usuario_id": user, "cantidad": 5}))
        .await
        .expect(201);
    assert_eq!(
        rest.body["asientos"],
        json!([
            "Platea-A-2",
            "Platea-B-1",
            "Platea-B-2",
            "Platea-B-3",
            "Platea-B-4"
        ])
    );
    let more = json!({"usuario_id": bed.user(2).await, "cantidad": 1});
    bed.post(&path, more).await.refused(409, "SIN_DISPONIBILIDAD");
}

/// The kind under which a show was stored, and its layout.
async fn stored(bed: &Bed, show: Uuid) -> (String, Value) {
    let first = bed.app.read(&show_stream(show)).await.unwrap().remove(0);
    let data: Value = serde_json::from_slice(&first.data).unwrap();
    (first.kind.to_string(), data["layout"].clone())
}

#[tokio::test]
async fn only_a_show_with_blocked_places_is_stored_as_the_new_kind() {
    let bed = Bed::new().await;
    for (more, kind, layout) in [
        (json!({}), "show_scheduled.v1", "numbered"),
        (
            json!({"pasillos": [], "bloqueados": []}),
            "show_scheduled.v1",
            "numbered",
        ),
        (json!({"pasillos": [2, 4]}), "show_scheduled.v1", "numbered"),
        (
            json!({"bloqueados": ["A-3"]}),
            "show_scheduled.v2",
            "numbered_with_blocked",
        ),
    ] {
        let made = schedule(&bed, &[platea(more.clone())]).await.expect(201);
        let stored = stored(&bed, made.id("evento_id")).await;
        assert_eq!(
            (stored.0.as_str(), &stored.1["kind"]),
            (kind, &json!(layout)),
            "{more}"
        );
    }
}

#[tokio::test]
async fn blocked_places_are_kept_in_their_order() {
    let bed = Bed::new().await;
    let room = platea(json!({"bloqueados": ["B-2", "A-5", "A-4"], "pasillos": [1.0, 3]}));
    let made = schedule(&bed, &[room]).await.expect(201);
    let section = &stored(&bed, made.id("evento_id")).await.1["sections"][0];
    assert_eq!(section["blocked"], json!(["A-4", "A-5", "B-2"]));
    assert_eq!(section["aisles"], json!([1, 3]));
}

#[tokio::test]
async fn what_is_wrong_with_a_plan_is_named() {
    let bed = Bed::new().await;
    let every: Vec<String> = (1..=5)
        .flat_map(|n| [format!("A-{n}"), format!("B-{n}")])
        .collect();
    let many: Vec<u32> = (1..=101).collect();
    for (more, faults) in [
        (json!({"pasillos": 3}), vec!["pasillos: debe ser una lista"]),
        (
            json!({"pasillos": [0, 5]}),
            vec![
                "pasillos[0]: debe estar entre 1 y 100000",
                "pasillos[1]: debe ser menor que asientos_por_fila",
            ],
        ),
        (
            json!({"pasillos": ["1", 2, 2]}),
            vec![
                "pasillos[0]: debe ser un número entero",
                "pasillos[2]: debe ser mayor que el anterior",
            ],
        ),
        (
            json!({"pasillos": [3, 2]}),
            vec!["pasillos[1]: debe ser mayor que el anterior"],
        ),
        (
            json!({ "pasillos": many }),
            vec!["pasillos: debe tener de 0 a 100 elementos"],
        ),
        (json!({"bloqueados": {}}), vec!["bloqueados: debe ser una lista"]),
        (
            json!({"bloqueados": [1, "A", "Platea-A-1", "a-1", "A-01"]}),
            vec![
                "bloqueados[0]: debe ser un texto",
                "bloqueados[1]: debe ser FILA-NUMERO, como A-12",
                "bloqueados[2]: debe ser FILA-NUMERO, como A-12",
                "bloqueados[3]: debe ser FILA-NUMERO, como A-12",
                "bloqueados[4]: debe ser FILA-NUMERO, como A-12",
            ],
        ),
        (
            json!({"bloqueados": ["A-1", "C-1", "A-6", "A-1"]}),
            vec![
                "bloqueados[1]: no existe en esta sección",
                "bloqueados[2]: no existe en esta sección",
                "bloqueados[3]: está repetido",
            ],
        ),
        (
            json!({ "bloqueados": every }),
            vec!["bloqueados: debe quedar al menos un asiento a la venta"],
        ),
        // What cannot be judged is not blamed.
        (
            json!({"asientos_por_fila": 0, "pasillos": [9], "bloqueados": ["Z-9"]}),
            vec!["asientos_por_fila: debe estar entre 1 y 100000"],
        ),
    ] {
        let reply = schedule(
            &bed,
            &[
                json!({"nombre": "Palco", "filas": 1, "asientos_por_fila": 1}),
                platea(more.clone()),
            ],
        )
        .await;
        let reply = reply.refused(422, "DATOS_INVALIDOS");
        let told: Vec<String> = reply.body["errores"]
            .as_array()
            .unwrap()
            .iter()
            .map(|fault| {
                format!(
                    "{}: {}",
                    fault["campo"].as_str().unwrap(),
                    fault["mensaje"].as_str().unwrap()
                )
            })
            .collect();
        let faults: Vec<String> = faults
            .iter()
            .map(|fault| format!("mapa_asientos.secciones[1].{fault}"))
            .collect();
        assert_eq!(told, faults, "{more}");
    }
}

#[tokio::test]
async fn places_are_bounded_whether_or_not_something_is_sold_there() {
    let bed = Bed::new().await;
    let section = |name: &str, rows: u32| {
        json!({
            "nombre": name, "filas": rows, "asientos_por_fila": 100, "bloqueados": ["A-1", "A-2"],
        })
    };
    let over = schedule(&bed, &[section("A", 500), section("B", 501)]).await;
    assert_eq!(
        over.refused(422, "DATOS_INVALIDOS").fields(),
        ["mapa_asientos.secciones"]
    );
    let full = schedule(&bed, &[section("A", 500), section("B", 500)])
        .await
        .expect(201);
    assert_eq!(full.body["aforo_total"], 99_996);
}

/// A stadium: sixty sections of 25 rows, 40 to a row, two aisles; each with its corners cut off.
fn stadium(blocked_in_each: u32) -> Vec<Value> {
    let section = |n: u32| {
        let corner = (0..blocked_in_each).map(|k| {
            let (row, number) = (k / 5, k % 5);
            let number = if n.is_multiple_of(2) {
                number + 1
            } else {
                40 - number
            };
            format!("{}-{number}", contract::events::row_letters(row))
        });
        json!({
            "nombre": format!("Tribuna Oriente Alta {n}"), "filas": 25, "asientos_por_fila": 40, "precio": 149.9,
            "pasillos": [13, 27], "bloqueados": corner.collect::<Vec<_>>(),
        })
    };
    (1..=60).map(section).collect()
}

#[tokio::test]
async fn a_stadium_with_aisles_and_thousands_of_blocked_places_fits_into_a_body() {
    let bed = Bed::new().await;
    let size = |blocked| with_sections(&bed, &stadium(blocked)).to_string().len();
    // Some hundred blocked places need a quarter of what a body may have …
    assert!(size(10) < MAX_BODY_BYTES / 4, "{}", size(10));
    // … and five thousand fit.
    assert!(size(85) < MAX_BODY_BYTES, "{}", size(85));
    let made = schedule(&bed, &stadium(85)).await.expect(201);
    assert_eq!(made.body["aforo_total"], 60_000 - 60 * 85);
    let scheduled = bed.events(show_stream(made.id("evento_id"))).await.remove(0);
    assert!(matches!(scheduled, Event::ShowScheduled(_)));
}
