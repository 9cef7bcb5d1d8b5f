//! `GET /api/eventos…`: what is on, and its seats.

use crate::{
    app::{Reader, Shared},
    paging::Page,
    reads::{self, catch_up, parse, store_problem},
    rendered::Kind,
};
use axum::{extract::State, response::Response};
use contract::{ShowId, Timestamp, UserId, collections};
use ports::{Document, Filter, Op, Order, Query};
use std::sync::Arc;
use views::{search, seat_map::SeatMap, show::Show};
use web::{
    Code, Id, Params, Problem,
    access::Caller,
    etag::{IfNoneMatch, Privacy, Tagged},
    headers::Access,
    render,
    schema::{Evento, FormatoAsientos, ListaEventos, MapaAsientos},
};

/// Un evento
#[utoipa::path(
    get, path = "/api/eventos/{evento_id}", operation_id = "verEvento", tag = "Eventos",
    params(
        ("evento_id" = uuid::Uuid, Path, description = "El evento"),
        ("posicion" = Option<u64>, Query, description = "Espera hasta que la lectura alcance esta posición"),
        ("If-None-Match" = Option<String>, Header, description = "El ETag que ya se tiene"),
    ),
    responses(
        (status = 200, body = Evento, description = "El evento, con sus entradas"),
        (status = 304, description = "No cambió"),
    )
)]
pub(crate) async fn describe(
    State(reader): State<Shared>,
    Id(show_id): Id<ShowId>,
    params: Params,
    has: IfNoneMatch,
) -> Result<Response, Problem> {
    catch_up(&reader.app, &params).await?;
    let document = reads::document(&reader.app, &collections::SHOWS, show_id.0)
        .await?
        .ok_or_else(not_found)?;
    let now = reader.app.clock.now();
    // The hot path: an unchanged show is sent as it was rendered before.
    let tagged = reader
        .rendered
        .get(Kind::Show, show_id.0, document.version, now, || {
            let show: Show = parse(&document)?;
            Ok((Tagged::json(&render::show(&show, now))?, Some(show.starts_at_ms)))
        })?;
    Ok(tagged.respond(&has, Privacy::Public))
}

/// Los eventos, primero los más próximos
#[utoipa::path(
    get, path = "/api/eventos", operation_id = "listarEventos", tag = "Eventos",
    params(
        ("q" = Option<String>, Query, description = "Texto que aparece en el nombre, el lugar o la categoría", max_length = 100),
        ("categoria" = Option<String>, Query, description = "La categoría, exacta", max_length = 100),
        ("desde" = Option<String>, Query, description = "Desde esta fecha y hora (RFC 3339)", format = DateTime),
        ("hasta" = Option<String>, Query, description = "Antes de esta fecha y hora (RFC 3339)", format = DateTime),
        ("mios" = Option<bool>, Query, description = "`true`: solo los de quien llama, que debe haberse identificado; \
            quien administra ve todos"),
        ("limite" = Option<u32>, Query, description = "Cuántos por página", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "El `cursor` de la página anterior"),
        ("posicion" = Option<u64>, Query, description = "Espera hasta que la lectura alcance esta posición"),
        ("If-None-Match" = Option<String>, Header, description = "El ETag que ya se tiene"),
    ),
    responses(
        (status = 200, body = ListaEventos, description = "Una página"),
        (status = 304, description = "No cambió"),
    )
)]
pub(crate) async fn list(
    State(reader): State<Shared>,
    Access(caller): Access,
    params: Params,
    has: IfNoneMatch,
) -> Result<Response, Problem> {
    let app = &reader.app;
    let own = params.flag("mios")?;
    let organiser = if own { whose(&caller)? } else { None };
    catch_up(app, &params).await?;
    let (mut filters, page) = wanted(params)?;
    filters.extend(organiser.map(|organiser| Filter {
        field: "organiser",
        op: Op::Eq(organiser.to_string().into()),
    }));
    let query = Query {
        filters,
        order: Some(Order {
            field: "starts_at_ms",
            descending: false,
        }),
        after: page.after.clone(),
        limit: page.lookahead(),
    };
    let found = app
        .store
        .find(&collections::SHOWS, query)
        .await
        .map_err(|error| store_problem(&error))?;
    let mut shows = found
        .into_iter()
        .map(|document| parse(&document).map(|show| (show, document)))
        .collect::<Result<Vec<(Show, Arc<Document>)>, Problem>>()?;
    let cursor = page.cut(&mut shows, |show| show.starts_at_ms.0);
    let now = app.clock.now();
    let eventos: Vec<Evento> = shows.iter().map(|(show, _)| render::show(show, now)).collect();
    let privacy = if own { Privacy::Personal } else { Privacy::Public };
    Ok(Tagged::json(&ListaEventos { eventos, cursor })?.respond(&has, privacy))
}

/// Whose shows a caller sees as their own; `None` for everybody's, when they reach those.
fn whose(caller: &Caller) -> Result<Option<UserId>, Problem> {
    if caller.reaches_all() {
        return Ok(None);
    }
    let unknown = || Problem::new(Code::Unauthenticated).detail("Para ver los suyos debe identificarse.");
    caller.user().map(Some).ok_or_else(unknown)
}

fn wanted(mut params: Params) -> Result<(Vec<Filter>, Page), Problem> {
    let text = params
        .text("q", 1..=100)
        .map(|text| Op::Contains(search::fold(&text)));
    let category = params
        .text("categoria", 1..=100)
        .map(|category| Op::Eq(category.into()));
    let from = params.time("desde").map(|Timestamp(ms)| Op::AtLeast(ms));
    let until = params.time("hasta").map(|Timestamp(ms)| Op::Below(ms));
    let page = Page::read(&mut params);
    params.finish()?;
    let fields = [
        ("search", text),
        ("category", category),
        ("starts_at_ms", from),
        ("starts_at_ms", until),
    ];
    let filters = fields
        .into_iter()
        .filter_map(|(field, op)| op.map(|op| Filter { field, op }));
    Ok((filters.collect(), page))
}

/// El mapa de asientos de un evento
#[utoipa::path(
    get, path = "/api/eventos/{evento_id}/asientos", operation_id = "verAsientos", tag = "Eventos",
    params(
        ("evento_id" = uuid::Uuid, Path, description = "El evento"),
        ("formato" = inline(Option<FormatoAsientos>), Query, description = "`completo`, asiento por asiento (si falta), o `compacto`, un byte por lugar como máximo"),
        ("posicion" = Option<u64>, Query, description = "Espera hasta que la lectura alcance esta posición"),
        ("If-None-Match" = Option<String>, Header, description = "El ETag que ya se tiene"),
    ),
    responses(
        (status = 200, body = MapaAsientos, description = "Los asientos; sin secciones si no es numerado"),
        (status = 304, description = "No cambió"),
    )
)]
pub(crate) async fn seats(
    State(reader): State<Shared>,
    Id(show_id): Id<ShowId>,
    params: Params,
    has: IfNoneMatch,
) -> Result<Response, Problem> {
    let (kind, rendered): (Kind, fn(&SeatMap) -> MapaAsientos) = match FormatoAsientos::read(&params)? {
        FormatoAsientos::Completo => (Kind::Seats, render::seat_map),
        FormatoAsientos::Compacto => (Kind::CompactSeats, render::compact_seat_map),
    };
    catch_up(&reader.app, &params).await?;
    let Some(document) = reads::document(&reader.app, &collections::SEAT_MAPS, show_id.0).await? else {
        return general_admission(&reader, show_id)
            .await
            .map(|tagged| tagged.respond(&has, Privacy::Public));
    };
    let now = reader.app.clock.now();
    let tagged = reader.rendered.get(kind, show_id.0, document.version, now, || {
        let map: SeatMap = parse(&document)?;
        Ok((Tagged::json(&rendered(&map))?, None))
    })?;
    Ok(tagged.respond(&has, Privacy::Public))
}

/// A show without numbered seats has an empty map; a show that is not there has none.
async fn general_admission(reader: &Reader, show_id: ShowId) -> Result<Tagged, Problem> {
    let document = reads::document(&reader.app, &collections::SHOWS, show_id.0)
        .await?
        .ok_or_else(not_found)?;
    let show: Show = parse(&document)?;
    Tagged::json(&MapaAsientos {
        evento_id: show_id.0,
        version: show.revision,
        secciones: Vec::new(),
    })
}

fn not_found() -> Problem {
    Problem::new(Code::ShowNotFound)
}
