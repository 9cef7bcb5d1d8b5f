//! `GET /api/operaciones/mensajes-muertos` and `POST …/{mensaje_id}/reencolar`: what RabbitMQ gave up delivering, as
//! `eventflow dead-letters` shows it and puts it back, without what the messages say.
//!
//! A look takes letters from the queue and gives them back. One at a time in a process: two would each see a part. A
//! look of another node at the same moment still may hide some; whoever looks again finds them. RabbitMQ counts every
//! look as a delivery, of which a letter may have many and not any number (`docs/rabbitmq.md`): what was seen is shown
//! to others for a moment.

use axum::{
    Json, Router,
    extract::State,
    routing::{get, post},
};
use contract::StreamName;
use serde::Serialize;
use servers::rabbitmq::dead_letters::{self, DeadLetter, DeadLettersError, Which};
use std::{
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};
use utoipa::ToSchema;
use uuid::Uuid;
use web::{
    Code, Id, Problem, RequestContext,
    ids::{PathId, parse_uuid},
    schema::{Problema, Time},
};

/// How many letters are shown.
const SHOWN: usize = 100;
/// How many streams of one letter are named: as many as a message has events.
const STREAMS: usize = 64;
/// How long others are shown what one has seen.
const SEEN_FOR: Duration = Duration::from_secs(2);
/// How long it is waited for one's turn, and how long a look may then take: together less than nginx waits.
const TURN_WITHIN: Duration = Duration::from_secs(2);
const LOOKS_WITHIN: Duration = Duration::from_secs(2);
/// Putting one back reads the whole queue.
const REQUEUES_WITHIN: Duration = Duration::from_secs(10);
/// How often a letter that is not there is looked for, and how long after one another: a look may just have it.
const TRIES: u32 = 3;
const TRY_AGAIN: Duration = Duration::from_millis(200);

/// The dead letters of this installation; without RabbitMQ there are none. Cheap to clone.
#[derive(Clone, Default)]
pub struct DeadLetters(Option<Arc<Queue>>);

struct Queue {
    url: String,
    namespace: String,
    is_there: Box<dyn Fn() -> bool + Send + Sync>,
    turn: Arc<Semaphore>,
    seen: Mutex<Option<(Instant, Page)>>,
}

/// The first letters, and how many there are.
type Page = (Vec<DeadLetter>, u64);

impl DeadLetters {
    /// Those of a namespace at the broker with this URL. `is_there` tells at once whether it answers, so that nobody
    /// waits for one that does not.
    pub fn at(url: &str, namespace: &str, is_there: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(Queue {
            url: url.into(),
            namespace: namespace.into(),
            is_there: Box::new(is_there),
            turn: Arc::new(Semaphore::new(1)),
            seen: Mutex::default(),
        })))
    }
}

/// Looking at them.
pub(super) fn looking(letters: DeadLetters) -> Router {
    Router::new().route("/api/operaciones/mensajes-muertos", get(list).with_state(letters))
}

/// Putting them back.
pub(super) fn requeueing(letters: DeadLetters) -> Router {
    Router::new().route(
        "/api/operaciones/mensajes-muertos/{mensaje_id}/reencolar",
        post(requeue).with_state(letters),
    )
}

/// The dead letters.
#[derive(Serialize, ToSchema)]
pub(super) struct MensajesMuertos {
    /// `false` donde no hay RabbitMQ, y por eso tampoco mensajes muertos (`eventflow dev`)
    disponible: bool,
    /// Los primeros cien, en el orden en el que llegaron
    mensajes: Vec<MensajeMuerto>,
    /// Cuántos hay
    total: u64,
}

/// A dead letter.
#[derive(Serialize, ToSchema)]
pub(super) struct MensajeMuerto {
    /// El mensaje: una petición conserva su identificador cada vez que se envía. Falta si no es de EventFlow
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Uuid>,
    /// Qué es
    tipo: Tipo,
    /// La cola en la que murió
    cola: String,
    /// Por qué
    motivo: Motivo,
    /// Cuándo murió por primera vez
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    en: Option<Time>,
    /// Cuántas veces murió allí por ese motivo; cada vez se entregó hasta el límite de la cola
    intentos: u64,
    /// Los flujos del registro a los que se refiere
    flujos: Vec<String>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Tipo {
    /// Una petición a un carril
    Peticion,
    /// Eventos del registro
    Eventos,
    Otro,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Motivo {
    /// Se entregó demasiadas veces sin que nadie pudiera terminarlo
    LimiteDeEntregas,
    /// No se pudo leer
    Rechazado,
    /// La cola estaba llena
    ColaLlena,
    Vencido,
    Otro,
}

/// What was put back.
#[derive(Serialize, ToSchema)]
pub(super) struct Reencolados {
    /// Cuántos mensajes con ese identificador volvieron a su cola
    reencolados: usize,
}

/// Los mensajes que nadie pudo terminar
///
/// Mirar no quita ninguno. La respuesta puede tener dos segundos. Mientras mira otro nodo puede faltar alguno por un
/// instante; si hay más de mil, cada consulta muestra otros.
#[utoipa::path(
    get, path = "/api/operaciones/mensajes-muertos", operation_id = "listarMensajesMuertos", tag = "Operaciones",
    responses(
        (status = 200, body = MensajesMuertos, description = "Los primeros, sin su contenido"),
        (status = 503, body = Problema, content_type = "application/problem+json",
            description = "RabbitMQ no responde (`SERVICIO_NO_DISPONIBLE`), u otros están mirando (`OCUPADO`)"),
    )
)]
pub(super) async fn list(
    State(DeadLetters(queue)): State<DeadLetters>,
    _: RequestContext,
) -> Result<Json<MensajesMuertos>, Problem> {
    let Some(queue) = queue else {
        return Ok(Json(MensajesMuertos {
            disponible: false,
            mensajes: Vec::new(),
            total: 0,
        }));
    };
    let (letters, total) = queue.page().await?;
    Ok(Json(MensajesMuertos {
        disponible: true,
        mensajes: letters.into_iter().map(MensajeMuerto::from).collect(),
        total,
    }))
}

/// Devuelve un mensaje muerto a la cola en la que murió, como si nunca se hubiera entregado
///
/// Repetirlo no hace daño: quien recibe un mensaje lo reconoce si ya lo atendió.
#[utoipa::path(
    post, path = "/api/operaciones/mensajes-muertos/{mensaje_id}/reencolar", operation_id = "reencolarMensaje",
    tag = "Operaciones",
    params(("mensaje_id" = uuid::Uuid, Path, description = "El mensaje")),
    responses(
        (status = 200, body = Reencolados, description = "Volvió a su cola"),
        (status = 404, body = Problema, content_type = "application/problem+json", description = "`MENSAJE_NO_ENCONTRADO`"),
        (status = 503, body = Problema, content_type = "application/problem+json",
            description = "RabbitMQ no responde o la cola no lo acepta (`SERVICIO_NO_DISPONIBLE`), u otros están \
            mirando (`OCUPADO`)"),
    )
)]
pub(super) async fn requeue(
    State(DeadLetters(queue)): State<DeadLetters>,
    context: RequestContext,
    Id(LetterId(id)): Id<LetterId>,
) -> Result<Json<Reencolados>, Problem> {
    let Some(queue) = queue else {
        return Err(Problem::new(Code::LetterNotFound));
    };
    for left in (0..TRIES).rev() {
        let which = Which::Id(id.to_string());
        let put_back = |url: String, namespace: String| async move {
            dead_letters::requeue(&url, &namespace, &which).await
        };
        let turn = queue.turn().await?;
        let requeued = queue.work(turn, REQUEUES_WITHIN, put_back).await?.len();
        if requeued > 0 {
            *queue.seen() = None;
            tracing::info!(%id, actor = %context.actor, requeued, "a dead letter was put back");
            return Ok(Json(Reencolados {
                reencolados: requeued,
            }));
        }
        if left > 0 {
            tokio::time::sleep(TRY_AGAIN).await;
        }
    }
    Err(Problem::new(Code::LetterNotFound))
}

/// A message's id: that of an ask, or of an event.
pub(super) struct LetterId(Uuid);

impl PathId for LetterId {
    const PARAM: &'static str = "mensaje_id";
    const NOT_FOUND: Code = Code::LetterNotFound;
    fn from_uuid(id: Uuid) -> Self {
        Self(id)
    }
}

impl Queue {
    /// A look, or what another has just seen.
    async fn page(&self) -> Result<Page, Problem> {
        let turn = self.turn().await?;
        if let Some((at, page)) = &*self.seen()
            && at.elapsed() < SEEN_FOR
        {
            return Ok(page.clone());
        }
        let look =
            |url: String, namespace: String| async move { dead_letters::page(&url, &namespace, SHOWN).await };
        let page = self.work(turn, LOOKS_WITHIN, look).await?;
        *self.seen() = Some((Instant::now(), page.clone()));
        Ok(page)
    }

    fn seen(&self) -> MutexGuard<'_, Option<(Instant, Page)>> {
        // Whole values are put in and read out: nobody can leave half of one.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until nobody else of this process is at the broker. Not at all, when it is away.
    async fn turn(&self) -> Result<OwnedSemaphorePermit, Problem> {
        if !(self.is_there)() {
            return Err(away());
        }
        match timeout(TURN_WITHIN, self.turn.clone().acquire_owned()).await {
            Ok(Ok(turn)) => Ok(turn),
            Ok(Err(_)) | Err(_) => {
                Err(Problem::new(Code::Busy).detail("Otros están mirando los mensajes muertos."))
            }
        }
    }

    /// Does something at the broker, not for long.
    async fn work<T, F>(
        &self,
        turn: OwnedSemaphorePermit,
        within: Duration,
        work: impl FnOnce(String, String) -> F,
    ) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, DeadLettersError>> + Send + 'static,
    {
        let work = work(self.url.clone(), self.namespace.clone());
        // A task of its own: a caller who hangs up does not break a look off, and it keeps its turn until it ends.
        let done = tokio::spawn(async move {
            let done = timeout(within, work).await;
            drop(turn);
            done
        });
        match done.await {
            Ok(Ok(Ok(found))) => Ok(found),
            Ok(Ok(Err(error))) => {
                tracing::warn!(%error, "dead letters were asked for");
                Err(away())
            }
            Ok(Err(_)) => {
                tracing::warn!("dead letters were asked for, and the broker did not answer in time");
                Err(away())
            }
            Err(error) => Err(Problem::internal(&error)),
        }
    }
}

fn away() -> Problem {
    Problem::new(Code::Unavailable).detail("RabbitMQ no responde.")
}

impl From<DeadLetter> for MensajeMuerto {
    fn from(letter: DeadLetter) -> Self {
        // Ids and names that this platform makes: what else a message may carry could be anything.
        let ours = |name: &String| StreamName::new(name).parts().is_some();
        Self {
            id: parse_uuid(&letter.id),
            tipo: match &*letter.kind {
                "ask" => Tipo::Peticion,
                "events" => Tipo::Eventos,
                _ => Tipo::Otro,
            },
            cola: letter.queue,
            motivo: match &*letter.reason {
                "delivery_limit" => Motivo::LimiteDeEntregas,
                "rejected" => Motivo::Rechazado,
                "maxlen" => Motivo::ColaLlena,
                "expired" => Motivo::Vencido,
                _ => Motivo::Otro,
            },
            en: letter.at_ms.map(Time),
            intentos: letter.count,
            flujos: letter.streams.into_iter().filter(ours).take(STREAMS).collect(),
        }
    }
}

#[cfg(test)]
#[path = "dead_letters_tests.rs"]
mod tests;
