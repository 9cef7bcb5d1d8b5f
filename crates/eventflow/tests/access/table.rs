//! Every endpoint with every kind of caller, against the one table.

use crate::{
    common::{person, show},
    house::{House, call},
};
use contract::{Role, UserId};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use uuid::Uuid;
use web::access::{Reach, RoleSet, Row, Rule, TABLE, allowed};

/// Who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Nobody,
    CustomerOwn,
    CustomerOther,
    OrganiserOwn,
    OrganiserOther,
    Gate,
    Auditor,
    Admin,
}
use Who::{Admin, Auditor, CustomerOther, CustomerOwn, Gate, Nobody, OrganiserOther, OrganiserOwn};

impl Who {
    const ALL: [Who; 8] = [
        Nobody,
        CustomerOwn,
        CustomerOther,
        OrganiserOwn,
        OrganiserOther,
        Gate,
        Auditor,
        Admin,
    ];

    fn roles(self) -> RoleSet {
        let more = match self {
            Nobody => return RoleSet::new(),
            CustomerOwn | CustomerOther => None,
            OrganiserOwn | OrganiserOther => Some(Role::Organiser),
            Gate => Some(Role::Gate),
            Auditor => Some(Role::Auditor),
            Admin => Some(Role::Admin),
        };
        [Some(Role::Customer), more].into_iter().flatten().collect()
    }
}

/// Whose the thing is that a path names; `None` where whoever may call it makes or sees their own.
fn owner(row: &Row) -> Option<Who> {
    match (row.method, row.path) {
        ("POST", "/api/eventos") | ("GET", "/api/eventos/exportar") => None,
        (_, "/api/eventos/{evento_id}/cancelar") => Some(OrganiserOwn),
        _ => Some(CustomerOwn),
    }
}

/// What the table says.
fn expected(row: &Row, who: Who) -> Option<(u16, &'static str)> {
    if matches!(row.rule, Rule::Public | Rule::Entrance) {
        return None;
    }
    if who == Nobody {
        return Some((401, "NO_AUTENTICADO"));
    }
    let forbidden = Some((403, "SIN_PERMISO"));
    match (row.rule, allowed(row.rule, &who.roles())) {
        (Rule::Authenticated, _) | (_, Ok(Reach::All)) => None,
        (_, Err(_)) => forbidden,
        (_, Ok(Reach::Own)) => match owner(row) {
            Some(owner) if owner != who => forbidden,
            _ => None,
        },
    }
}

/// What a row's path and body name, made for one call: all of it belongs to somebody who is only in this call.
struct Things {
    path: String,
    body: Value,
    customer: UserId,
    organiser: UserId,
}

async fn things(house: &House, row: &Row) -> Things {
    let (customer, organiser) = (house.register().await, house.register().await);
    let (buyer, seller) = (
        house.token(customer, &[]),
        house.token(organiser, &[Role::Organiser]),
    );
    let scheduled = show(json!({ "aforo_total": 10 }));
    let mut path = row.path.to_owned();
    let posts = ["/api/reservar", "/api/comprar"].contains(&row.path);
    let mut hold = String::new();
    let mut event = String::new();
    if path.contains("evento_id") || path.contains("reserva_id") || path.contains("stream") || posts {
        event = house
            .create(&seller, "/api/eventos", scheduled.clone(), "evento_id")
            .await;
    }
    if path.contains("bloqueo_id") || row.path == "/api/comprar" {
        let wanted = json!({ "usuario_id": customer, "cantidad": 1 });
        let address = format!("/api/eventos/{event}/bloqueos");
        hold = house.create(&buyer, &address, wanted, "bloqueo_id").await;
    }
    let purchase = json!({ "usuario_id": customer, "evento_id": event, "cantidad": 1 });
    if path.contains("reserva_id") {
        let id = house
            .create(&buyer, "/api/reservar", purchase.clone(), "reserva_id")
            .await;
        path = path.replace("{reserva_id}", &id);
    }
    path = path
        .replace("{usuario_id}", &customer.to_string())
        .replace("{evento_id}", &event)
        .replace("{bloqueo_id}", &hold)
        .replace("{stream}", &format!("show-{event}"))
        .replace("{mensaje_id}", &Uuid::new_v4().to_string())
        .replace("{codigo}", "SIN_PERMISO")
        .replace("{version}/{*file}", "any/js/app.js");
    let body = match (row.method, row.path) {
        ("POST", "/api/usuarios") => person(&Uuid::new_v4().simple().to_string()[..20]),
        ("POST", "/api/eventos") => scheduled,
        ("POST", "/api/reservar") => purchase,
        ("POST", "/api/comprar") => json!({ "usuario_id": customer, "bloqueo_id": hold }),
        ("POST", "/api/eventos/{evento_id}/bloqueos") => json!({ "usuario_id": customer, "cantidad": 1 }),
        ("PUT", "/api/usuarios/{usuario_id}/roles") => json!({ "roles": ["puerta"] }),
        ("GET" | "DELETE", _) => Value::Null,
        _ => json!({}),
    };
    Things {
        path,
        body,
        customer,
        organiser,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_endpoint_lets_in_whom_the_table_says_and_nobody_else() {
    let house = House::open("table").await;
    let mut wrong = Vec::new();
    for row in TABLE {
        for who in Who::ALL {
            let things = things(&house, row).await;
            let user = match who {
                CustomerOwn => things.customer,
                OrganiserOwn => things.organiser,
                _ => house.register().await,
            };
            let roles: Vec<Role> = who.roles().into_iter().collect();
            let bearer = match who {
                Nobody => String::new(),
                _ => format!("Bearer {}", house.token(user, &roles)),
            };
            let body = if things.body.is_null() {
                String::new()
            } else {
                things.body.to_string()
            };
            let (status, code) = call(house.address, row.method, &things.path, &bearer, &body).await;
            let right = match expected(row, who) {
                Some(refused) => refused == (status, code.as_str()),
                // At the entrance, credentials are what is asked for.
                None if row.rule == Rule::Entrance => status != 403,
                None => status != 401 && status != 403 && status < 500 && code != "NO_ENCONTRADO",
            };
            if !right {
                wrong.push(format!("{} {} as {who:?}: {status} {code}", row.method, row.path));
            }
        }
    }
    house.close().await;
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_endpoint_has_a_row_and_every_row_an_endpoint() {
    let house = House::open("document").await;
    let document = house
        .client()
        .await
        .get("/api/openapi.json")
        .await
        .expect(200)
        .body;
    let mut described = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let methods = ["get", "post", "put", "patch", "delete", "head", "options"];
        for method in methods.into_iter().filter(|method| item.get(method).is_some()) {
            described.insert((method.to_uppercase(), path.clone()));
        }
    }
    let is_page = |row: &&Row| {
        row.path == "/"
            || row.path.starts_with("/portal")
            || row.path.starts_with("/docs")
            || row.path.ends_with(".json")
    };
    let rows: BTreeSet<(String, String)> = TABLE
        .iter()
        .filter(|row| !is_page(row))
        .map(|row| (row.method.to_owned(), row.path.to_owned()))
        .collect();
    let without_row: Vec<_> = described.difference(&rows).collect();
    let without_endpoint: Vec<_> = rows.difference(&described).collect();
    assert!(without_row.is_empty(), "endpoints without a row: {without_row:?}");
    assert!(
        without_endpoint.is_empty(),
        "rows without an endpoint: {without_endpoint:?}"
    );
    for page in TABLE.iter().filter(is_page) {
        let path = page
            .path
            .replace("{codigo}", "SIN_PERMISO")
            .replace("{version}/{*file}", "any/js/app.js");
        assert_eq!(call(house.address, "GET", &path, "", "").await.0, 200, "{path}");
    }
    house.close().await;
}
