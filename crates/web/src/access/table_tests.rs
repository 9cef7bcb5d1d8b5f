#![allow(clippy::unwrap_used)]
use super::*;
use Role::Gate;
use std::collections::BTreeSet;

#[test]
fn every_endpoint_stands_in_the_table_once() {
    let mut seen = BTreeSet::new();
    for row in TABLE {
        assert!(seen.insert((row.method, row.path)), "{} {}", row.method, row.path);
        assert!(
            ["GET", "POST", "PUT", "DELETE"].contains(&row.method),
            "HEAD is GET: {row:?}"
        );
    }
}

#[test]
fn an_alias_is_the_same_endpoint() {
    for (method, alias, main) in [
        ("POST", "/api/users", "/api/usuarios"),
        (
            "GET",
            "/api/users/{usuario_id}/compras",
            "/api/usuarios/{usuario_id}/compras",
        ),
        (
            "DELETE",
            "/api/events/{evento_id}/bloqueos/{bloqueo_id}",
            "/api/eventos/{evento_id}/bloqueos/{bloqueo_id}",
        ),
        ("POST", "/api/reservas", "/api/reservar"),
        ("POST", "/api/purchase", "/api/comprar"),
    ] {
        assert_eq!(row(method, alias).unwrap().path, main);
    }
}

#[test]
fn what_is_not_in_the_table_has_no_row() {
    for (method, path) in [
        ("PATCH", "/api/usuarios/{usuario_id}"),
        ("OPTIONS", "/api/usuarios"),
        ("GET", "/api/usuarios"),
        ("GET", "/api/usuarios/"),
        ("GET", "/api/usuarios-todos"),
        ("GET", ""),
    ] {
        assert!(row(method, path).is_none(), "{method} {path}");
    }
    assert_eq!(row("HEAD", "/api/eventos").unwrap().method, "GET");
}

#[test]
fn somebody_with_several_roles_reaches_as_far_as_the_furthest() {
    let rule = row("GET", "/api/eventos/exportar").unwrap().rule;
    let reach = |roles: &[Role]| allowed(rule, &roles.iter().copied().collect());
    assert_eq!(reach(&[Customer, Organiser]), Ok(Own));
    assert_eq!(reach(&[Customer, Organiser, Auditor]), Ok(All));
    assert_eq!(reach(&[Customer, Gate]).unwrap_err().code(), Code::Forbidden);
}

#[test]
fn only_administrators_may_everything() {
    for row in TABLE {
        assert!(
            allowed(row.rule, &RoleSet::from([Customer, Admin])) == Ok(All),
            "{row:?}"
        );
    }
    let closed = |role: Role| {
        TABLE
            .iter()
            .any(|row| allowed(row.rule, &RoleSet::from([Customer, role])) != Ok(All))
    };
    assert!([Customer, Organiser, Gate, Auditor].into_iter().all(closed));
}

#[test]
fn nothing_that_changes_anything_is_open_but_registration_and_the_entrance() {
    let open: Vec<&str> = TABLE
        .iter()
        .filter(|row| row.is_open() && row.method != "GET")
        .map(|row| row.path)
        .collect();
    assert_eq!(
        open,
        [
            "/api/auth/login",
            "/api/auth/refresh",
            "/api/auth/logout",
            "/api/usuarios"
        ]
    );
}
