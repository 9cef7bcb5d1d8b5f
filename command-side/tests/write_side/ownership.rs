//! Whose things are whose: customers reach their own holds and reservations, organisers their own shows.

use crate::bed::{Bed, show, show_stream};
use axum::http::Method;
use contract::{Event, UserId};
use serde_json::json;
use uuid::Uuid;

#[tokio::test]
async fn a_customer_holds_and_buys_for_themselves_only() {
    let bed = Bed::new().await;
    let (ana, eva) = (bed.logged_in(1, &[]).await, bed.logged_in(2, &[]).await);
    let show = bed.show(10).await;
    let holds = format!("/api/eventos/{show}/bloqueos");
    let for_eva = json!({"usuario_id": eva.user, "evento_id": show, "cantidad": 1});
    bed.post_as(&ana, &holds, for_eva.clone())
        .await
        .refused(403, "SIN_PERMISO");
    bed.post_as(&ana, "/api/reservar", for_eva.clone())
        .await
        .refused(403, "SIN_PERMISO");
    let hold = bed
        .post_as(&eva, &holds, for_eva.clone())
        .await
        .expect(201)
        .id("bloqueo_id");
    let purchase = json!({"usuario_id": eva.user, "bloqueo_id": hold});
    bed.post_as(&ana, "/api/comprar", purchase.clone())
        .await
        .refused(403, "SIN_PERMISO");
    // In one's own name another's hold is not there.
    let theirs = json!({"usuario_id": ana.user, "bloqueo_id": hold});
    bed.post_as(&ana, "/api/comprar", theirs)
        .await
        .refused(404, "BLOQUEO_NO_ENCONTRADO");
    bed.post_as(&eva, "/api/reservar", for_eva).await.expect(201);
    bed.post_as(&eva, "/api/comprar", purchase).await.expect(202);
}

#[tokio::test]
async fn a_hold_is_seen_and_given_back_by_its_owner_only() {
    let bed = Bed::new().await;
    let (ana, eva) = (bed.logged_in(1, &[]).await, bed.logged_in(2, &[]).await);
    let show = bed.show(10).await;
    let holds = format!("/api/eventos/{show}/bloqueos");
    let body = json!({"usuario_id": eva.user, "cantidad": 1});
    let hold = bed.post_as(&eva, &holds, body).await.expect(201).id("bloqueo_id");
    let path = format!("{holds}/{hold}");
    for method in [Method::GET, Method::DELETE] {
        bed.send_as(&ana.access, method, &path, None)
            .await
            .refused(403, "SIN_PERMISO");
    }
    bed.send_as(&eva.access, Method::GET, &path, None)
        .await
        .expect(200);
    bed.send_as(&eva.access, Method::DELETE, &path, None)
        .await
        .expect(204);
    let nobodys = format!("{holds}/{}", Uuid::nil());
    for method in [Method::GET, Method::DELETE] {
        bed.send_as(&ana.access, method, &nobodys, None)
            .await
            .refused(404, "BLOQUEO_NO_ENCONTRADO");
    }
}

#[tokio::test]
async fn a_reservation_is_cancelled_by_its_buyer_or_an_administrator() {
    let bed = Bed::new().await;
    let (ana, eva) = (bed.logged_in(1, &[]).await, bed.logged_in(2, &[]).await);
    let root = bed.logged_in(3, &["admin"]).await;
    let show = bed.show(10).await;
    let mut paths = Vec::new();
    for _ in 0..2 {
        let body = json!({"usuario_id": eva.user, "evento_id": show, "cantidad": 1});
        let made = bed.post_as(&eva, "/api/reservar", body).await.expect(201);
        paths.push(format!("/api/reservar/{}", made.id("reserva_id")));
    }
    bed.send_as(&ana.access, Method::DELETE, &paths[0], None)
        .await
        .refused(403, "SIN_PERMISO");
    let missing = format!("/api/reservar/{}", Uuid::nil());
    bed.send_as(&ana.access, Method::DELETE, &missing, None)
        .await
        .refused(404, "RESERVA_NO_ENCONTRADA");
    bed.send_as(&eva.access, Method::DELETE, &paths[0], None)
        .await
        .expect(202);
    bed.send_as(&root.access, Method::DELETE, &paths[1], None)
        .await
        .expect(202);
}

#[tokio::test]
async fn a_show_is_its_organisers_to_cancel() {
    let bed = Bed::new().await;
    let (ana, eva) = (
        bed.logged_in(1, &["organizador"]).await,
        bed.logged_in(2, &["organizador"]).await,
    );
    let (buyer, root) = (bed.logged_in(3, &[]).await, bed.logged_in(4, &["admin"]).await);
    let mut draft = show(&bed);
    draft["aforo_total"] = 10.into();
    bed.post_as(&buyer, "/api/eventos", draft.clone())
        .await
        .refused(403, "SIN_PERMISO");
    let anas = bed
        .post_as(&ana, "/api/eventos", draft.clone())
        .await
        .expect(201)
        .id("evento_id");
    let events = bed.events(show_stream(anas)).await;
    assert!(matches!(&events[0], Event::ShowScheduled(show) if show.organiser == Some(UserId(ana.user))));
    let nobodys = bed
        .post_as(&root, "/api/eventos", draft)
        .await
        .expect(201)
        .id("evento_id");
    let events = bed.events(show_stream(nobodys)).await;
    assert!(matches!(&events[0], Event::ShowScheduled(show) if show.organiser.is_none()));

    let cancel = |show: Uuid| format!("/api/eventos/{show}/cancelar");
    for who in [&eva, &buyer] {
        bed.post_as(who, &cancel(anas), json!({}))
            .await
            .refused(403, "SIN_PERMISO");
    }
    bed.post_as(&ana, &cancel(nobodys), json!({}))
        .await
        .refused(403, "SIN_PERMISO");
    bed.post_as(&ana, &cancel(Uuid::nil()), json!({}))
        .await
        .refused(404, "EVENTO_NO_ENCONTRADO");
    bed.post_as(&ana, &cancel(anas), json!({})).await.expect(202);
    bed.post_as(&root, &cancel(nobodys), json!({})).await.expect(202);
}

#[tokio::test]
async fn what_somebody_does_stands_in_the_log_under_their_id() {
    let bed = Bed::new().await;
    let ana = bed.logged_in(1, &[]).await;
    let show = bed.show(10).await;
    let body = json!({"usuario_id": ana.user, "cantidad": 1});
    bed.post_as(&ana, &format!("/api/eventos/{show}/bloqueos"), body)
        .await
        .expect(201);
    let held = bed.app.read(&show_stream(show)).await.unwrap().pop().unwrap();
    assert_eq!(held.meta().unwrap().actor, ana.user.to_string());
}
