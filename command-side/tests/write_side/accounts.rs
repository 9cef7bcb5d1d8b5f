//! `POST /api/auth/login`, `…/refresh`, `…/logout`, `PUT /api/usuarios/{usuario_id}/roles`

use crate::bed::{Bed, access::PASSWORD, person, user_stream};
use axum::http::Method;
use contract::{
    Event, Role, SessionId, StreamKind, StreamName, UserId,
    events::{LoginFailed, SessionClosed, SessionEnd, UserRegistered},
};
use futures_util::future::{join, join_all};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use uuid::Uuid;

fn session_of(refresh: &str) -> StreamName {
    let id = refresh.split('.').next().unwrap().parse().unwrap();
    StreamName::of(StreamKind::Session, id)
}

async fn end_of(bed: &Bed, refresh: &str) -> Option<SessionEnd> {
    match bed.events(session_of(refresh)).await.pop() {
        Some(Event::SessionClosed(SessionClosed { why, .. })) => Some(why),
        _ => None,
    }
}

#[tokio::test]
async fn whoever_logs_in_gets_what_the_contract_says_and_it_lets_them_in() {
    let bed = Bed::new().await;
    let user = bed.member(1).await;
    let reply = bed.try_login(" ANA1@Example.com ", PASSWORD).await.expect(200);
    let (access, refresh) = (reply.text("access_token"), reply.text("refresh_token"));
    assert_eq!(
        reply.body,
        json!({"access_token": access, "token_type": "Bearer", "expires_in": 900, "refresh_token": refresh})
    );
    assert_eq!(reply.header("cache-control"), "no-store");
    assert!(reply.header("x-posicion").parse::<u64>().is_ok());
    let claims = bed.app.tokens.verify(&access, bed.app.tokens.now()).unwrap();
    assert_eq!(claims.user_id, UserId(user));
    assert_eq!(claims.roles, [Role::Customer].into());
    assert!(bed.lets_in(&access).await);
    // It was durable before it was answered.
    let events = bed.events(session_of(&refresh)).await;
    assert!(matches!(events.as_slice(), [Event::SessionOpened(opened)] if opened.user_id == UserId(user)));
}

#[tokio::test]
async fn nobody_learns_from_a_failure_whether_the_address_exists() {
    let bed = Bed::new().await;
    bed.member(1).await;
    bed.user(2).await;
    let before = bed.app.accounts().passwords_verified();
    let mut answers = Vec::new();
    for email in [
        "ana1@example.com",
        "ana2@example.com",
        "nobody@example.com",
        "no address",
    ] {
        let asked = Instant::now();
        let reply = bed.try_login(email, "wrong password").await;
        let took = asked.elapsed();
        assert!(
            took >= Duration::from_millis(150),
            "{email} was refused within {took:?}"
        );
        answers.push(reply.refused(401, "CREDENCIALES_INVALIDAS").body);
    }
    assert!(answers.iter().all(|body| *body == answers[0]), "{answers:#?}");
    // One for each, the real hash or a stand-in.
    assert_eq!(bed.app.accounts().passwords_verified() - before, 4);
}

#[tokio::test]
async fn a_failed_login_is_noted_for_those_who_exist_and_nobody_else() {
    let bed = Bed::new().await;
    let user = bed.member(1).await;
    for email in ["nobody@example.com", "ana1@example.com", "ana1@example.com"] {
        bed.try_login(email, "wrong password").await.expect(401);
    }
    let stream = StreamName::of(StreamKind::Access, user);
    let started = Instant::now();
    // Noted beside the answer, which must not take longer for it.
    while bed.events(stream.clone()).await.len() < 2 {
        assert!(started.elapsed() < Duration::from_secs(5), "not noted");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let events = bed.events(stream).await;
    assert!(matches!(
        events.as_slice(),
        [Event::LoginFailed(LoginFailed { .. }), Event::LoginFailed(_)]
    ));
    let kinds = bed.app.log.read_all(None, 1_000).await.unwrap();
    assert_eq!(
        kinds
            .iter()
            .filter(|event| &*event.kind == "login_failed.v1")
            .count(),
        2
    );
}

#[tokio::test]
async fn after_five_failures_no_password_is_looked_at_until_five_minutes_have_passed() {
    let bed = Bed::new().await;
    bed.member(1).await;
    for email in ["ana1@example.com", "nobody@example.com"] {
        let attempts = (0..5).map(|_| bed.try_login(email, "wrong password"));
        assert!(join_all(attempts).await.iter().all(|reply| reply.status == 401));
        let before = bed.app.accounts().passwords_verified();
        let reply = bed.try_login(email, PASSWORD).await;
        let reply = reply.refused(429, "DEMASIADAS_SOLICITUDES");
        let after_s: u64 = reply.header("retry-after").parse().unwrap();
        assert!((290..=300).contains(&after_s), "{after_s}");
        assert_eq!(bed.app.accounts().passwords_verified(), before);
    }
    bed.clock.pass(300_000);
    bed.try_login("ana1@example.com", PASSWORD).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_guesses_at_once_only_five_are_looked_at() {
    let bed = Bed::new().await;
    bed.member(1).await;
    let before = bed.app.accounts().passwords_verified();
    let guesses = (0..20).map(|_| bed.try_login("ana1@example.com", "wrong password"));
    let replies = join_all(guesses).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 401).count(), 5);
    assert_eq!(replies.iter().filter(|reply| reply.status == 429).count(), 15);
    assert_eq!(bed.app.accounts().passwords_verified() - before, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_right_password_is_never_too_many() {
    let bed = Bed::new().await;
    bed.member(1).await;
    for _ in 0..2 {
        for _ in 0..4 {
            bed.try_login("ana1@example.com", "wrong password")
                .await
                .expect(401);
        }
        bed.try_login("ana1@example.com", PASSWORD).await.expect(200);
    }
    let at_once = (0..12).map(|_| bed.try_login("ana1@example.com", PASSWORD));
    assert!(join_all(at_once).await.iter().all(|reply| reply.status == 200));
}

#[tokio::test]
async fn a_session_is_renewed_with_another_token_each_time() {
    let bed = Bed::new().await;
    let ana = bed.logged_in(1, &[]).await;
    let mut refresh = ana.refresh.clone();
    for _ in 0..3 {
        bed.clock.pass(800_000);
        let reply = bed.refresh(&refresh).await.expect(200);
        assert_eq!(
            (&reply.body["token_type"], &reply.body["expires_in"]),
            (&"Bearer".into(), &900.into())
        );
        let next = reply.text("refresh_token");
        assert_ne!(next, refresh);
        assert_eq!(session_of(&next), session_of(&refresh));
        assert!(bed.lets_in(&reply.text("access_token")).await);
        refresh = next;
    }
    assert!(!bed.lets_in(&ana.access).await, "an access token expires");
}

#[tokio::test]
async fn a_refresh_token_that_comes_a_second_time_ends_the_session_and_its_tokens() {
    let bed = Bed::new().await;
    let ana = bed.logged_in(1, &[]).await;
    let renewed = bed.refresh(&ana.refresh).await.expect(200);
    bed.refresh(&ana.refresh).await.refused(401, "NO_AUTENTICADO");
    assert_eq!(end_of(&bed, &ana.refresh).await, Some(SessionEnd::TokenReused));
    assert!(!bed.lets_in(&renewed.text("access_token")).await);
    assert!(!bed.lets_in(&ana.access).await);
    bed.refresh(&renewed.text("refresh_token"))
        .await
        .refused(401, "NO_AUTENTICADO");
    // Another log-in of the same person is another session.
    let again = bed.login(1, ana.user).await;
    assert!(bed.lets_in(&again.access).await);
}

#[tokio::test]
async fn a_token_that_never_was_one_ends_nothing() {
    let bed = Bed::new().await;
    let ana = bed.logged_in(1, &[]).await;
    let (session, secret) = ana.refresh.split_once('.').unwrap();
    let made_up = format!("{session}.{}", secret.chars().rev().collect::<String>());
    for bad in [made_up, format!("{}.{secret}", Uuid::nil().simple()), "x".into()] {
        bed.refresh(&bad).await.refused(401, "NO_AUTENTICADO");
        let body = json!({"refresh_token": bad});
        bed.post("/api/auth/logout", body).await.expect(204);
    }
    assert_eq!(end_of(&bed, &ana.refresh).await, None);
    bed.refresh(&ana.refresh).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_refreshes_at_once_one_wins_and_the_session_ends() {
    let bed = Bed::new().await;
    let ana = bed.logged_in(1, &[]).await;
    let (one, other) = join(bed.refresh(&ana.refresh), bed.refresh(&ana.refresh)).await;
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert!(statuses == [200, 401] || statuses == [401, 401], "{statuses:?}");
    assert_eq!(end_of(&bed, &ana.refresh).await, Some(SessionEnd::TokenReused));
}

#[tokio::test(flavor = "multi_thread")]
async fn under_one_idempotency_key_a_refresh_and_a_login_can_be_repeated() {
    let bed = Bed::new().await;
    bed.member(1).await;
    bed.member(2).await;
    let key = ("idempotency-key", "k-1");
    let login = |number: u32| {
        let body = json!({"email": format!("ana{number}@example.com"), "password": PASSWORD});
        bed.post_with("/api/auth/login", key, body)
    };
    let (first, again) = join(login(1), login(1)).await;
    assert_eq!(first.expect(200).body, again.expect(200).body);
    let session = login(1).await.expect(200);
    assert_ne!(
        login(2).await.expect(200).body,
        session.body,
        "another person's key is another"
    );

    let body = json!({"refresh_token": session.text("refresh_token")});
    let refresh = || bed.post_with("/api/auth/refresh", key, body.clone());
    let replies = join_all((0..3).map(|_| refresh())).await;
    let renewed = replies[0].text("refresh_token");
    for reply in &replies {
        assert_eq!(
            (reply.status.as_u16(), reply.text("refresh_token")),
            (200, renewed.clone())
        );
    }
    assert_eq!(refresh().await.expect(200).text("refresh_token"), renewed);
    let other = json!({"refresh_token": renewed});
    bed.post_with("/api/auth/refresh", key, other)
        .await
        .refused(422, "CLAVE_REUTILIZADA");
    assert_eq!(end_of(&bed, &renewed).await, None);
}

#[tokio::test]
async fn a_session_is_over_after_thirty_days_however_often_it_was_renewed() {
    let bed = Bed::new().await;
    let ana = bed.logged_in(1, &[]).await;
    let day = 86_400_000;
    bed.clock.pass(29 * day);
    let renewed = bed.refresh(&ana.refresh).await.expect(200).text("refresh_token");
    bed.clock.pass(day);
    bed.refresh(&renewed).await.refused(401, "NO_AUTENTICADO");
}

#[tokio::test]
async fn whoever_logs_out_is_out_at_once_and_may_say_it_again() {
    let bed = Bed::new().await;
    let ana = bed.logged_in(1, &[]).await;
    let elsewhere = bed.login(1, ana.user).await;
    let reply = bed
        .send_as(&ana.access, Method::POST, "/api/auth/logout", None)
        .await
        .expect(204);
    assert!(reply.header("x-posicion").parse::<u64>().is_ok());
    assert_eq!(end_of(&bed, &ana.refresh).await, Some(SessionEnd::LoggedOut));
    assert!(!bed.lets_in(&ana.access).await);
    bed.refresh(&ana.refresh).await.refused(401, "NO_AUTENTICADO");
    bed.send_as(&ana.access, Method::POST, "/api/auth/logout", None)
        .await
        .expect(204);
    assert_eq!(bed.events(session_of(&ana.refresh)).await.len(), 2);

    // The other session goes on, until its refresh token says otherwise.
    assert!(bed.lets_in(&elsewhere.access).await);
    let body = json!({"refresh_token": elsewhere.refresh});
    for _ in 0..2 {
        bed.post("/api/auth/logout", body.clone()).await.expect(204);
    }
    assert!(!bed.lets_in(&elsewhere.access).await);
    bed.send(Method::POST, "/api/auth/logout", &[], None)
        .await
        .refused(401, "NO_AUTENTICADO");
}

#[tokio::test]
async fn a_change_of_roles_ends_older_tokens_and_a_refreshed_one_has_the_new_roles() {
    let bed = Bed::new().await;
    let ana = bed.logged_in(1, &[]).await;
    let reply = bed
        .set_roles(ana.user, &["puerta", "organizador"])
        .await
        .expect(200);
    assert_eq!(
        reply.body,
        json!({"usuario_id": ana.user, "roles": ["cliente", "organizador", "puerta"]})
    );
    assert!(!bed.lets_in(&ana.access).await);
    let renewed = bed.refresh(&ana.refresh).await.expect(200).text("access_token");
    assert!(bed.lets_in(&renewed).await);
    let claims = bed.app.tokens.verify(&renewed, bed.app.tokens.now()).unwrap();
    assert_eq!(claims.roles, [Role::Customer, Role::Organiser, Role::Gate].into());

    // The same again changes nothing, and ends no token.
    let again = bed
        .set_roles(ana.user, &["organizador", "puerta", "cliente"])
        .await
        .expect(200);
    assert_eq!(again.body, reply.body);
    assert_eq!(again.header("x-posicion"), reply.header("x-posicion"));
    assert!(bed.lets_in(&renewed).await);
    let stream = StreamName::of(StreamKind::Account, ana.user);
    assert_eq!(bed.events(stream).await.len(), 1);

    let path = format!("/api/users/{}/roles", ana.user);
    let none = bed
        .send(Method::PUT, &path, &[], Some(json!({"roles": []})))
        .await;
    assert_eq!(none.expect(200).body["roles"], json!(["cliente"]));
}

#[tokio::test]
async fn roles_are_for_people_who_are_there_and_by_their_words() {
    let bed = Bed::new().await;
    bed.set_roles(Uuid::nil(), &["admin"])
        .await
        .refused(404, "USUARIO_NO_ENCONTRADO");
    let ana = bed.member(1).await;
    let path = format!("/api/usuarios/{ana}/roles");
    for (bad, field) in [
        (json!({}), "roles"),
        (json!({"roles": "admin"}), "roles"),
        (json!({"roles": ["jefe"]}), "roles[0]"),
        (json!({"roles": ["admin", "admin"]}), "roles[1]"),
        (json!({"roles": [7]}), "roles[0]"),
    ] {
        let reply = bed.send(Method::PUT, &path, &[], Some(bad.clone())).await;
        assert_eq!(reply.refused(422, "DATOS_INVALIDOS").fields(), [field], "{bad}");
    }
    bed.send(Method::DELETE, &format!("/api/usuarios/{ana}"), &[], None)
        .await
        .expect(204);
    bed.set_roles(ana, &["admin"])
        .await
        .refused(410, "USUARIO_OLVIDADO");
}

#[tokio::test]
async fn only_an_administrator_changes_roles() {
    let bed = Bed::new().await;
    let ana = bed.logged_in(1, &[]).await;
    let root = bed.logged_in(2, &["admin"]).await;
    let path = format!("/api/usuarios/{}/roles", ana.user);
    let body = Some(json!({"roles": ["admin"]}));
    bed.send_as(&ana.access, Method::PUT, &path, body.clone())
        .await
        .refused(403, "SIN_PERMISO");
    bed.send_as(&root.access, Method::PUT, &path, body)
        .await
        .expect(200);
}

#[tokio::test]
async fn whoever_is_forgotten_cannot_log_in_or_go_on() {
    let bed = Bed::new().await;
    let ana = bed.logged_in(1, &[]).await;
    let path = format!("/api/usuarios/{}", ana.user);
    bed.send(Method::DELETE, &path, &[], None).await.expect(204);
    bed.try_login("ana1@example.com", PASSWORD)
        .await
        .refused(401, "CREDENCIALES_INVALIDAS");
    bed.refresh(&ana.refresh).await.refused(401, "NO_AUTENTICADO");
    assert!(!bed.lets_in(&ana.access).await);
}

#[tokio::test]
async fn an_address_that_was_claimed_and_never_registered_lets_nobody_in() {
    let bed = Bed::new().await;
    bed.member(1).await;
    // A registration that is refused gives its address back; the claim stays in the stream.
    let mut body = person(1);
    body["email"] = "other@example.com".into();
    bed.post("/api/usuarios", body).await.expect(409);
    bed.try_login("other@example.com", PASSWORD)
        .await
        .refused(401, "CREDENCIALES_INVALIDAS");
}

#[tokio::test]
async fn nothing_secret_stands_in_the_log_or_in_debug_output() {
    let bed = Bed::new().await;
    let ana = bed.logged_in(1, &[]).await;
    let renewed = bed.refresh(&ana.refresh).await.expect(200);
    let secrets = [
        PASSWORD.to_owned(),
        ana.access.clone(),
        ana.refresh.split_once('.').unwrap().1.to_owned(),
        renewed
            .text("refresh_token")
            .split_once('.')
            .unwrap()
            .1
            .to_owned(),
    ];
    for recorded in bed.app.log.read_all(None, 1_000).await.unwrap() {
        let text = format!("{recorded:?} {:?} {:?}", recorded.data, recorded.meta);
        for secret in secrets.iter().map(String::as_str).chain(["ana1", "$argon2"]) {
            assert!(!text.contains(secret), "{text}");
        }
    }
    let token = command_side::account::RefreshToken::read(&ana.refresh).unwrap();
    let credentials = command_side::account::login::Credentials {
        email: "ana1@example.com".into(),
        password: PASSWORD.into(),
    };
    let granted = command_side::account::Granted {
        user_id: UserId(ana.user),
        session: SessionId(Uuid::nil()),
        access_token: ana.access.clone(),
        expires_in_s: 900,
        refresh_token: token.clone(),
    };
    let shown = format!("{token:?} {credentials:?} {granted:?} {:?}", bed.app.tokens);
    for secret in secrets.iter().map(String::as_str).chain(["ana1"]) {
        assert!(!shown.contains(secret), "{shown}");
    }
    let events = bed.events(user_stream(ana.user)).await;
    assert!(matches!(
        events.as_slice(),
        [Event::UserRegistered(UserRegistered {
            password: Some(_),
            ..
        })]
    ));
}

#[tokio::test]
async fn what_cannot_be_a_login_is_named() {
    let bed = Bed::new().await;
    for (bad, fields) in [
        (json!({}), vec!["email", "password"]),
        (json!({"email": "a@b.com"}), vec!["password"]),
        (json!({"email": 7, "password": "x"}), vec!["email"]),
        (
            json!({"email": "a@b.com", "password": "x".repeat(129)}),
            vec!["password"],
        ),
        (json!({"email": "a".repeat(255), "password": "x"}), vec!["email"]),
    ] {
        let reply = bed.post("/api/auth/login", bad.clone()).await;
        assert_eq!(reply.refused(422, "DATOS_INVALIDOS").fields(), fields, "{bad}");
    }
    let bad: [Value; 3] = [
        json!({}),
        json!({"refresh_token": 7}),
        json!({"refresh_token": "x".repeat(201)}),
    ];
    for bad in bad {
        let reply = bed.post("/api/auth/refresh", bad.clone()).await;
        assert_eq!(
            reply.refused(422, "DATOS_INVALIDOS").fields(),
            ["refresh_token"],
            "{bad}"
        );
    }
}
