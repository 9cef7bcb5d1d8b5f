//! The handler: who follows what, and from where.

use super::{follower::Follower, hubs::Hubs};
use crate::{app::Shared, changes::LastSeen, reads::catch_up};
use axum::{
    Extension,
    body::Body,
    extract::State,
    http::{HeaderValue, header},
    response::Response,
};
use contract::ShowId;
use web::{Id, Params, Problem, access::ClientAddress, schema::FormatoAsientos};

/// Un evento mientras cambia (server-sent events)
/// One event of the stream, field by field, as its description in the OpenAPI document.
#[derive(utoipa::ToSchema)]
#[allow(dead_code, reason = "only describes what is sent")]
pub(crate) struct CambioDeEvento {
    /// `cambio`: las entradas que hay y los asientos que cambiaron desde el aviso anterior. `mapa`: lo mismo y todas
    /// las secciones, cuando lo que faltó no se puede contar como cambios; reemplaza lo que se tenía.
    event: String,
    /// La versión: lo que se envía como `Last-Event-ID` (o `desde`) para seguir desde aquí.
    id: String,
    /// Una `NovedadEvento`, en JSON.
    data: String,
}

#[utoipa::path(
    get, path = "/api/eventos/{evento_id}/cambios", operation_id = "seguirEvento", tag = "Eventos",
    params(
        ("evento_id" = uuid::Uuid, Path, description = "El evento"),
        ("formato" = inline(Option<FormatoAsientos>), Query, description = "Cómo se cuentan los asientos: `completo`, con sus nombres (si falta), o `compacto`, como `cambios`"),
        ("desde" = Option<u64>, Query, description = "La `version` que ya se tiene, de `/asientos` o de un aviso: el primer aviso trae lo que cambió desde entonces. Sin ella (y sin `Last-Event-ID`) trae solo las entradas que hay"),
        ("Last-Event-ID" = Option<String>, Header, description = "El último `id` que se recibió; vale más que `desde`"),
        ("posicion" = Option<u64>, Query, description = "Espera hasta que la lectura alcance esta posición"),
    ),
    responses(
        (status = 200, body = CambioDeEvento, content_type = "text/event-stream",
            description = "Avisos `cambio` y `mapa`, el primero enseguida. Termina a los 10 minutos o cuando el servidor cierra; se retoma con `Last-Event-ID`"),
    )
)]
pub(crate) async fn follow(
    State(reader): State<Shared>,
    Id(show_id): Id<ShowId>,
    params: Params,
    LastSeen(last): LastSeen,
    address: Option<Extension<ClientAddress>>,
) -> Result<Response, Problem> {
    let format = FormatoAsientos::read(&params)?;
    let since = params.version()?;
    let place = reader
        .watchers
        .take(address.map(|Extension(address)| address.place()))?;
    catch_up(&reader.app, &params).await?;
    let joined = Hubs::join(&reader, show_id, format).await?;
    let follower = Follower::begin(&reader, joined, format, last.or(since), place).await?;
    let mut response = Response::new(Body::from_stream(follower.bytes()));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/event-stream"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
