//! `DELETE /api/usuarios/{usuario_id}`, and what completes it.

use crate::bed::{Bed, person, user_stream};
use axum::http::Method;
use command_side::forget::{self, worker};
use contract::{
    Cause, Command, CommandId, Event, UserId,
    commands::{UserAction, UserCommand},
    events::ForgetReason,
};
use ports::VaultError;
use std::time::Duration;
use tokio::sync::watch;
use uuid::Uuid;

async fn delete(bed: &Bed, path: &str) -> crate::bed::Reply {
    bed.send(Method::DELETE, path, &[], None).await
}

fn forgotten(events: &[Event]) -> usize {
    let forgotten = |event: &&Event| matches!(event, Event::UserForgotten(_));
    events.iter().filter(forgotten).count()
}

async fn has_no_key(bed: &Bed, user: Uuid) -> bool {
    let sealed = bed.app.vault.seal(UserId(user), "name", "Ana").await;
    matches!(sealed, Err(VaultError::Forgotten))
}

#[tokio::test]
async fn a_forgotten_person_has_no_key_and_their_address_is_free_but_not_their_document() {
    let bed = Bed::new().await;
    let user = bed.user(1).await;
    let reply = delete(&bed, &format!("/api/usuarios/{user}")).await.expect(204);
    assert!(reply.header("x-posicion").parse::<u64>().is_ok());
    assert_eq!(forgotten(&bed.events(user_stream(user)).await), 1);
    assert!(has_no_key(&bed, user).await);
    bed.post("/api/usuarios", person(1)).await.expect(409);
    let mut other = person(2);
    other["email"] = person(1)["email"].clone();
    bed.post("/api/usuarios", other).await.expect(201);
}

#[tokio::test]
async fn forgetting_again_changes_nothing_and_nobody_cannot_be_forgotten() {
    let bed = Bed::new().await;
    let user = bed.user(1).await;
    for path in ["/api/usuarios", "/api/users", "/api/usuarios"] {
        delete(&bed, &format!("{path}/{user}")).await.expect(204);
    }
    assert_eq!(forgotten(&bed.events(user_stream(user)).await), 1);
    let nobody = delete(&bed, &format!("/api/usuarios/{}", Uuid::from_u128(9)))
        .await
        .expect(404);
    assert_eq!(nobody.body["codigo"], "USUARIO_NO_ENCONTRADO");
}

#[tokio::test]
async fn an_address_that_somebody_else_has_since_is_left_to_them() {
    let bed = Bed::new().await;
    let user = bed.user(1).await;
    delete(&bed, &format!("/api/usuarios/{user}")).await.expect(204);
    let mut other = person(2);
    other["email"] = person(1)["email"].clone();
    bed.post("/api/usuarios", other.clone()).await.expect(201);
    delete(&bed, &format!("/api/usuarios/{user}")).await.expect(204);
    let mut third = person(3);
    third["email"] = other["email"].clone();
    let refused = bed.post("/api/usuarios", third).await.expect(409);
    assert_eq!(refused.body["codigo"], "EMAIL_REGISTRADO");
}

#[tokio::test]
async fn what_a_crash_left_behind_the_event_is_completed_by_whoever_hears_of_it() {
    let bed = Bed::new().await;
    let user = bed.user(1).await;
    let (stop, shutdown) = watch::channel(false);
    let working = tokio::spawn(worker::run(bed.app.clone(), shutdown));
    tokio::task::yield_now().await;
    // Only the first step, as by a process that died.
    let action = UserAction::Forget {
        reason: ForgetReason::Retention,
    };
    let cause = Cause {
        correlation: user,
        actor: "admin".into(),
        trace: None,
    };
    let command = Command::User(UserCommand {
        user_id: UserId(user),
        action,
    });
    let id = CommandId(Uuid::new_v4());
    bed.app.ask(&cause, id, command).await.unwrap();
    let mut other = person(2);
    other["email"] = person(1)["email"].clone();
    for _ in 0..500 {
        if has_no_key(&bed, user).await && bed.post("/api/usuarios", other.clone()).await.status == 201 {
            stop.send_replace(true);
            working.await.unwrap();
            // By hand it finds nothing to do.
            forget::complete(&bed.app, &cause, UserId(user)).await.unwrap();
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("nobody completed it");
}
