//! The guard before the write side, as in `dev`: without a token it is the operator who asks. There is no read model,
//! so that it knows only what this process was told.

use super::{Bed, Reply, clock::HandClock, person};
use async_trait::async_trait;
use axum::{Router, http::Method};
use command_side::app::App;
use contract::Timestamp;
use ports::{Clock, Vault};
use serde_json::{Value, json};
use std::sync::Arc;
use uuid::Uuid;
use web::access::{Guard, RateLimit, Revocations, Tokens};

pub const PASSWORD: &str = "correct horse";

pub fn tokens(vault: Arc<dyn Vault>, clock: Arc<HandClock>) -> Arc<Tokens> {
    Arc::new(Tokens::new(
        Arc::new(move |epoch| vault.pseudonym("access_token_key", &epoch.to_be_bytes()).0),
        Arc::new(move || clock.now()),
    ))
}

struct NoReadModel;

#[async_trait]
impl Revocations for NoReadModel {
    async fn until(&self, _: Uuid) -> Option<Timestamp> {
        None
    }
}

pub fn guarded(app: &App, router: Router) -> Router {
    let guard = Guard {
        tokens: app.tokens.clone(),
        revocations: Arc::new(NoReadModel),
        required: false,
        rate: RateLimit { per_second: 0 },
        proxies: Vec::new(),
    };
    web::access::guard(router, guard)
}

/// What somebody got who logged in.
#[derive(Clone)]
pub struct LoggedIn {
    pub user: Uuid,
    pub access: String,
    pub refresh: String,
}

impl Bed {
    /// A registered person with a password; a different one for each number.
    pub async fn member(&self, number: u32) -> Uuid {
        let mut body = person(number);
        body["password"] = PASSWORD.into();
        self.post("/api/usuarios", body)
            .await
            .expect(201)
            .id("usuario_id")
    }

    pub async fn try_login(&self, email: &str, password: &str) -> Reply {
        let body = json!({"email": email, "password": password});
        self.post("/api/auth/login", body).await
    }

    /// A person with these roles, logged in.
    pub async fn logged_in(&self, number: u32, roles: &[&str]) -> LoggedIn {
        let user = self.member(number).await;
        if !roles.is_empty() {
            self.set_roles(user, roles).await.expect(200);
        }
        self.login(number, user).await
    }

    pub async fn login(&self, number: u32, user: Uuid) -> LoggedIn {
        let email = format!("ana{number}@example.com");
        let reply = self.try_login(&email, PASSWORD).await.expect(200);
        LoggedIn {
            user,
            access: reply.text("access_token"),
            refresh: reply.text("refresh_token"),
        }
    }

    pub async fn set_roles(&self, user: Uuid, roles: &[&str]) -> Reply {
        let path = format!("/api/usuarios/{user}/roles");
        self.send(Method::PUT, &path, &[], Some(json!({"roles": roles})))
            .await
    }

    pub async fn refresh(&self, token: &str) -> Reply {
        self.post("/api/auth/refresh", json!({"refresh_token": token}))
            .await
    }

    /// Whether an access token is let in. The answer behind the guard is another matter.
    pub async fn lets_in(&self, access: &str) -> bool {
        let path = format!("/api/reservar/{}", Uuid::nil());
        let status = self.send_as(access, Method::DELETE, &path, None).await.status;
        assert!([401, 404].contains(&status.as_u16()), "{status}");
        status != 401
    }

    pub async fn post_as(&self, who: &LoggedIn, path: &str, body: Value) -> Reply {
        self.send_as(&who.access, Method::POST, path, Some(body)).await
    }
}

impl Reply {
    pub fn text(&self, field: &str) -> String {
        self.body[field].as_str().unwrap().to_owned()
    }
}
