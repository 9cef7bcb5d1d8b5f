#![allow(clippy::unwrap_used)]
use super::*;
use serde_json::json;

fn faults(value: &Value, read: impl FnOnce(&mut Fields<'_>)) -> Vec<String> {
    let mut fields = Fields::parse(value);
    read(&mut fields);
    let errors = fields
        .finish()
        .err()
        .map(|problem| problem.errors().to_vec())
        .unwrap_or_default();
    errors
        .into_iter()
        .map(|error| format!("{}: {}", error.campo, error.mensaje))
        .collect()
}

#[test]
fn every_fault_is_told_at_once() {
    let body = json!({"nombre": 1, "cantidad": 0, "usuario_id": "x"});
    let found = faults(&body, |fields| {
        fields.text("nombre", 1..=100);
        fields.integer("cantidad", 1..=10);
        fields.uuid("usuario_id");
        fields.time("fecha");
    });
    assert_eq!(
        found,
        [
            "nombre: debe ser un texto",
            "cantidad: debe estar entre 1 y 10",
            "usuario_id: debe ser un UUID",
            "fecha: es obligatorio",
        ]
    );
}

#[test]
fn texts_are_trimmed_and_counted_in_characters_without_control_characters() {
    let body = json!({"a": "  Ñandú ", "b": "x\u{0}y", "c": "   ", "d": "x".repeat(101)});
    let mut fields = Fields::parse(&body);
    assert_eq!(fields.text("a", 5..=5), "Ñandú");
    assert_eq!(
        fields.optional_text("c", 1..=5),
        None,
        "a blank optional text is absent"
    );
    fields.finish().unwrap();
    assert_eq!(
        faults(&body, |f| drop(f.text("b", 1..=9))),
        ["b: no puede contener caracteres de control"]
    );
    assert_eq!(
        faults(&body, |f| drop(f.text("c", 1..=9))),
        ["c: debe tener de 1 a 9 caracteres"]
    );
    assert_eq!(
        faults(&body, |f| drop(f.text("d", 1..=100))),
        ["d: debe tener de 1 a 100 caracteres"]
    );
}

#[test]
fn null_is_absent() {
    let body = json!({"a": null});
    assert!(faults(&body, |f| assert_eq!(f.optional_text("a", 1..=9), None)).is_empty());
    assert_eq!(faults(&body, |f| drop(f.text("a", 1..=9))), ["a: es obligatorio"]);
}

#[test]
fn a_whole_number_may_be_written_with_a_zero_fraction_and_nothing_else_passes() {
    let read = |value: Value| {
        let body = json!({ "n": value });
        let mut fields = Fields::parse(&body);
        let number = fields.integer("n", 1..=10);
        fields
            .finish()
            .map(|()| number)
            .map_err(|problem| problem.errors()[0].mensaje.to_string())
    };
    assert_eq!(read(json!(3)), Ok(3));
    assert_eq!(read(json!(3.0)), Ok(3));
    for out in [
        json!(0),
        json!(-1),
        json!(11),
        json!(4_294_967_297_u64),
        json!(u64::MAX),
        json!(1e300),
    ] {
        assert_eq!(read(out.clone()), Err("debe estar entre 1 y 10".into()), "{out}");
    }
    for no_integer in [json!(1.5), json!("3"), json!(true), json!([3])] {
        assert_eq!(
            read(no_integer.clone()),
            Err("debe ser un número entero".into()),
            "{no_integer}"
        );
    }
}

#[test]
fn money_is_not_negative_and_has_the_decimals_of_its_currency() {
    let body = json!({"a": 49.9, "b": 10.555, "c": -1, "d": "5", "e": 1e12});
    let mut fields = Fields::parse(&body);
    assert_eq!(fields.money("a", Currency::USD), Money::new(4_990, Currency::USD));
    fields.finish().unwrap();
    let fault = |name: &str| {
        faults(&body, |f| {
            assert_eq!(f.money(name, Currency::USD), Money::zero(Currency::USD))
        })
        .remove(0)
    };
    assert_eq!(fault("b"), "b: puede tener 2 decimales como máximo en USD");
    assert_eq!(fault("c"), "c: no puede ser negativo");
    assert_eq!(fault("d"), "d: debe ser un número");
    assert_eq!(fault("e"), "e: puede ser 100000000 como máximo");
}

#[test]
fn nested_faults_carry_their_path() {
    let body = json!({"mapa": {"secciones": [{"filas": 1}, {"filas": "x"}, 7]}, "pago": 3});
    let found = faults(&body, |fields| {
        fields.object("mapa", |map| {
            map.list_of_objects("secciones", 1..=9, |section| section.integer("filas", 1..=9))
        });
        fields.object("pago", |payment| payment.text("token", 1..=9));
    });
    assert_eq!(
        found,
        [
            "mapa.secciones[1].filas: debe ser un número entero",
            "mapa.secciones[2]: debe ser un objeto",
            "pago: debe ser un objeto",
        ]
    );
}

#[test]
fn lists_hold_different_texts_within_their_bounds() {
    let body = json!({"a": ["x", "y", "x", 1], "b": [], "c": "x"});
    assert_eq!(
        faults(&body, |f| drop(f.list_of_text("a", 1..=9, 1..=9))),
        ["a[2]: está repetido", "a[3]: debe ser un texto"]
    );
    assert_eq!(
        faults(&body, |f| drop(f.list_of_text("b", 1..=9, 1..=9))),
        ["b: debe tener de 1 a 9 elementos"]
    );
    assert_eq!(
        faults(&body, |f| drop(f.list_of_text("c", 1..=9, 1..=9))),
        ["c: debe ser una lista"]
    );
    assert_eq!(
        faults(&body, |f| drop(f.list_of_text("d", 1..=9, 1..=9))),
        ["d: es obligatorio"]
    );
}

#[test]
fn words_are_compared_without_case() {
    let body = json!({"tipo": " dni ", "otro": "zzz"});
    let mut fields = Fields::parse(&body);
    assert_eq!(fields.one_of("tipo", &[("CI", 1), ("DNI", 2)]), 2);
    fields.finish().unwrap();
    assert_eq!(
        faults(&body, |f| assert_eq!(
            f.one_of("otro", &[("CI", 1), ("DNI", 2)]),
            0
        )),
        ["otro: debe ser uno de: CI, DNI"]
    );
}

#[test]
fn times_are_rfc_3339_between_1970_and_9999() {
    assert_eq!(parse_time("1970-01-01T00:00:01Z"), Some(Timestamp(1_000)));
    assert_eq!(
        parse_time("1970-01-01T03:00:01 03:00"),
        Some(Timestamp(1_000)),
        "a + that a query turned into a space"
    );
    for bad in [
        "1969-12-31T23:59:59Z",
        "2026-11-21",
        "mañana",
        "",
        "2026-13-01T00:00:00Z",
        "1 00:00",
    ] {
        assert_eq!(parse_time(bad), None, "{bad}");
    }
}

#[test]
fn the_faults_that_are_told_are_bounded() {
    let body = json!({"a": vec![1; 1_000]});
    assert_eq!(
        faults(&body, |f| drop(f.list_of_text("a", 1..=1_000, 1..=9))).len(),
        MAX_ERRORS
    );
}
