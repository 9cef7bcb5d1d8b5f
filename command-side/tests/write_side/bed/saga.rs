//! A stand-in for the orchestrator: holds, pays, sells, and undoes in reverse. It keeps nothing and recovers
//! nothing, which is what the real one is for.

use super::ask;
use command_side::app::App;
use contract::{
    Answer, Cause, Command, CommandId, Event, Recorded, Refusal, ReservationId, ShowId, StreamKind,
    StreamName,
    commands::{PaymentAction, PaymentCommand, ShowAction, ShowCommand},
    events::{
        CancellationRequested, Choice, HoldGrant, ReservationCancelled, ReservationConfirmed,
        ReservationRejected, ReservationRequested, SagaStuck, Step, StepRecord, StepState,
    },
};
use ports::{Audience, Expected, Interest, Subscription};
use std::sync::Arc;

const SUBSCRIPTION: Subscription = Subscription {
    name: "saga",
    audience: Audience::Shared,
    interests: &[Interest::all(StreamKind::Reservation)],
};

pub async fn start(app: &App) {
    let mut events = app.broker.subscribe(&SUBSCRIPTION).await.unwrap();
    let app = app.clone();
    tokio::spawn(async move {
        while let Some(batch) = events.recv().await {
            for recorded in batch.into_iter().map(|heard| heard.event) {
                match recorded.decode().unwrap().0.clone() {
                    Event::ReservationRequested(request) => {
                        drop(tokio::spawn(run(app.clone(), recorded, request)))
                    }
                    Event::CancellationRequested(wanted) => {
                        drop(tokio::spawn(undo(app.clone(), recorded, wanted)))
                    }
                    _ => {}
                }
            }
        }
    });
}

async fn run(app: App, recorded: Arc<Recorded>, request: ReservationRequested) {
    let id = request.reservation_id;
    let event = match purchase(&app, &request).await {
        Ok(grant) => Event::from(ReservationConfirmed {
            reservation_id: id,
            user_id: request.user_id,
            show_id: request.show_id,
            grant,
            steps: Step::ALL.map(|step| record(&app, step, StepState::Done)).into(),
            confirmed_at_ms: app.clock.now(),
        }),
        Err((failed_step, refusal)) => {
            give_back(&app, id).await;
            restore(&app, &request).await;
            Event::from(ReservationRejected {
                reservation_id: id,
                steps: vec![record(&app, failed_step, StepState::Failed)],
                failed_step,
                refusal,
                at_ms: app.clock.now(),
            })
        }
    };
    append(&app, &recorded, event).await;
}

async fn undo(app: App, recorded: Arc<Recorded>, wanted: CancellationRequested) {
    let first = app
        .read_first(&StreamName::reservation(wanted.reservation_id))
        .await
        .unwrap()
        .unwrap();
    let Event::ReservationRequested(request) = first.decode().unwrap().0.clone() else {
        panic!("no request")
    };
    give_back(&app, wanted.reservation_id).await;
    restore(&app, &request).await;
    let at_ms = app.clock.now();
    let cancelled = ReservationCancelled {
        reservation_id: wanted.reservation_id,
        steps: vec![],
        at_ms,
    };
    append(&app, &recorded, cancelled.into()).await;
}

async fn purchase(app: &App, request: &ReservationRequested) -> Result<HoldGrant, (Step, Refusal)> {
    let id = request.reservation_id;
    let hold = match &request.choice {
        Choice::Hold { hold_id } => ShowAction::AdoptHold {
            hold_id: *hold_id,
            user_id: request.user_id,
            reservation_id: id,
        },
        choice => ShowAction::Hold {
            hold_id: id.own_hold(),
            user_id: request.user_id,
            choice: choice.clone(),
            reservation_id: Some(id),
            ttl_ms: app.settings.hold_ttl_ms,
            line_until_ms: Some(request.line_until_ms),
            fingerprint: None,
        },
    };
    let grant = match on_show(app, request.show_id, id, "hold", hold).await {
        Answer::Held(grant) => grant,
        other => return Err((Step::HoldInventory, refusal(other))),
    };
    let take = PaymentAction::Take {
        amount: grant.amount,
        token: request.payment_token.clone(),
    };
    match pay(app, id, "take", take).await {
        Answer::Done => {}
        other => return Err((Step::TakePayment, refusal(other))),
    }
    let sell = ShowAction::Sell {
        hold_id: grant.hold_id,
        reservation_id: id,
    };
    match on_show(app, request.show_id, id, "sell", sell).await {
        Answer::Done => Ok(grant),
        other => Err((Step::Confirm, refusal(other))),
    }
}

async fn restore(app: &App, request: &ReservationRequested) {
    let hold_id = match &request.choice {
        Choice::Hold { hold_id } => *hold_id,
        _ => request.reservation_id.own_hold(),
    };
    let restore = ShowAction::Restore {
        hold_id,
        reservation_id: request.reservation_id,
    };
    let answer = on_show(app, request.show_id, request.reservation_id, "restore", restore).await;
    assert_eq!(answer, Answer::Done);
}

async fn give_back(app: &App, id: ReservationId) {
    assert_eq!(
        pay(app, id, "give_back", PaymentAction::GiveBack).await,
        Answer::Done
    );
}

async fn on_show(app: &App, show_id: ShowId, id: ReservationId, step: &str, action: ShowAction) -> Answer {
    ask(
        app,
        CommandId(id.0).derived(step),
        Command::Show(ShowCommand { show_id, action }),
    )
    .await
}

async fn pay(app: &App, id: ReservationId, step: &str, action: PaymentAction) -> Answer {
    let command = PaymentCommand {
        reservation_id: id,
        action,
    };
    ask(app, CommandId(id.0).derived(step), Command::Payment(command)).await
}

fn refusal(answer: Answer) -> Refusal {
    match answer {
        Answer::Refused(refusal) => refusal,
        other => panic!("{other:?}"),
    }
}

fn record(app: &App, step: Step, state: StepState) -> StepRecord {
    StepRecord {
        step,
        state,
        at_ms: app.clock.now(),
    }
}

async fn append(app: &App, after: &Recorded, event: Event) {
    let cause = Cause {
        correlation: after.id.0,
        actor: "saga".into(),
        trace: None,
    };
    let (mut end, expected) = (after.end().unwrap(), Expected::Exactly(after.revision));
    let events = end
        .link(
            &after.stream,
            CommandId(after.id.0),
            &cause,
            app.clock.now(),
            [event],
        )
        .unwrap();
    // Somebody cancelled meanwhile: then the cancellation is what this saga does next.
    app.append(&after.stream, expected, events).await.unwrap();
}

/// What the orchestrator writes when a compensation keeps failing.
pub async fn get_stuck(app: &App, id: ReservationId) {
    let last = app
        .read(&StreamName::reservation(id))
        .await
        .unwrap()
        .pop()
        .unwrap();
    let stuck = SagaStuck {
        reservation_id: id,
        step: Step::TakePayment,
        detail: "the payment gateway did not answer".into(),
        steps: vec![],
        at_ms: app.clock.now(),
    };
    append(app, &last, stuck.into()).await;
}
