//! A payment provider behind HTTP, such as `eventflow gateway` serves. The protocol stands in [`wire`].
//!
//! What is certain and what is not:
//!
//! | what came | what it means |
//! |---|---|
//! | no connection, or none with a place for the request | `Unavailable`: nothing was sent |
//! | a problem document with `"carried_out": false` | `Unavailable`: the provider says that it did nothing |
//! | the whole answer that the protocol promises, about this reservation | that answer |
//! | anything else: silence, a connection that breaks, half an answer, somebody else's 502 | `NoAnswer` |
//!
//! Nothing that was sent is ever sent again from here. Whether and when to try again is decided by whoever knows what
//! silence means for the purchase (`command-side/src/payment`).
//!
//! Plain HTTP only: TLS is ended by a proxy beside this process, or by the adapter of a provider that needs it.

mod connection;
pub mod wire;

use async_trait::async_trait;
use connection::{Answer, Connection};
use contract::ReservationId;
use hyper::{Method, StatusCode, Uri};
use ports::{Charge, ChargeOutcome, Ledger, PaymentError, Payments};
use std::sync::Arc;
use wire::{ChargeAnswer, ChargeRequest, LedgerAnswer, Problem, UNKNOWN_PAYMENT};

/// How much of a provider's explanation goes into ours, in characters.
const DETAIL_CHARS: usize = 200;

/// Why an address cannot be that of a provider. The address itself is not repeated: it may hold a secret.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// Not an address at all.
    #[error("the payment provider's address is not a URL such as http://host:9090: {0}")]
    Malformed(String),
    /// Another protocol.
    #[error(
        "the payment provider is reached over plain http only, not {0}: put a proxy that ends TLS beside this process and give its http:// address"
    )]
    Scheme(String),
}

/// A payment provider behind HTTP. Its calls share a pool of kept-alive connections.
#[derive(Debug)]
pub struct HttpPayments {
    connection: Connection,
}

impl HttpPayments {
    /// The provider at this address: `http://host:port`, with a path when the protocol's paths stand below one.
    /// Nothing is sent yet: a provider that is away now may be there for the first charge. The calls need a Tokio
    /// runtime.
    ///
    /// # Errors
    /// When it is no such address.
    pub fn connect(url: &str) -> Result<Arc<Self>, Error> {
        let malformed = |why: &str| Error::Malformed(why.to_owned());
        let uri: Uri = url.trim().parse().map_err(|_| malformed("it cannot be read"))?;
        match uri.scheme_str() {
            Some("http") => {}
            Some(other) => return Err(Error::Scheme(other.to_owned())),
            None => return Err(malformed("it does not begin with http://")),
        }
        let authority = uri
            .authority()
            .ok_or_else(|| malformed("it names no host"))?
            .as_str();
        if authority.contains('@') {
            return Err(malformed("a user and a password in it would not be used"));
        }
        if uri.host().is_none_or(str::is_empty) {
            return Err(malformed("it names no host"));
        }
        if uri.query().is_some() {
            return Err(malformed("it has a query"));
        }
        let base = format!("http://{authority}{}", uri.path().trim_end_matches('/'));
        Ok(Arc::new(Self {
            connection: Connection::new(base),
        }))
    }

    /// A call whose only good answer is 204.
    async fn post(&self, path: &str, reservation_id: ReservationId) -> Result<(), PaymentError> {
        let path = format!("/{path}/{reservation_id}");
        let answer = self
            .connection
            .call(Method::POST, &path, reservation_id, None)
            .await?;
        match answer.status {
            StatusCode::NO_CONTENT => Ok(()),
            _ => Err(not_the_answer(&path, &answer)),
        }
    }
}

#[async_trait]
impl Payments for HttpPayments {
    async fn charge(&self, charge: Charge) -> Result<ChargeOutcome, PaymentError> {
        let reservation_id = charge.reservation_id;
        let request = ChargeRequest {
            reservation_id,
            amount_minor: charge.amount.minor,
            currency: charge.amount.currency,
            token: charge.token,
        };
        let body = serde_json::to_vec(&request)
            .map_err(|error| PaymentError::Unavailable(format!("the charge cannot be written: {error}")))?;
        let answer = self
            .connection
            .call(Method::POST, "/charges", reservation_id, Some(body))
            .await?;
        match answer.json::<ChargeAnswer>() {
            Some(done) if answer.status == StatusCode::OK && done.reservation_id == reservation_id => {
                Ok(done.outcome.into())
            }
            _ => Err(not_the_answer("/charges", &answer)),
        }
    }

    async fn void(&self, reservation_id: ReservationId) -> Result<(), PaymentError> {
        self.post("voids", reservation_id).await
    }

    async fn refund(&self, reservation_id: ReservationId) -> Result<(), PaymentError> {
        self.post("refunds", reservation_id).await
    }

    async fn find(&self, reservation_id: ReservationId) -> Result<Option<Ledger>, PaymentError> {
        let path = format!("/charges/{reservation_id}");
        let answer = self
            .connection
            .call(Method::GET, &path, reservation_id, None)
            .await?;
        match answer.status {
            StatusCode::OK => match answer.json::<LedgerAnswer>() {
                Some(found) if found.reservation_id == reservation_id => Ok(Some(found.ledger())),
                _ => Err(not_the_answer(&path, &answer)),
            },
            // Only the provider's own word for it: a proxy's 404 says nothing about a payment.
            StatusCode::NOT_FOUND
                if answer
                    .problem()
                    .is_some_and(|problem| problem.code == UNKNOWN_PAYMENT) =>
            {
                Ok(None)
            }
            _ => Err(not_the_answer(&path, &answer)),
        }
    }
}

/// What an answer means that is not the one that was asked for: `Unavailable` when it says that nothing was done.
fn not_the_answer(path: &str, answer: &Answer) -> PaymentError {
    match answer.problem() {
        Some(Problem {
            carried_out: Some(false),
            detail,
            code,
            ..
        }) => {
            let detail: String = detail.chars().take(DETAIL_CHARS).collect();
            PaymentError::Unavailable(format!(
                "it answered {} ({code}): {detail}",
                answer.status.as_u16()
            ))
        }
        _ => {
            let status = answer.status.as_u16();
            tracing::debug!(
                path,
                status,
                "the payment provider's answer is not one that is understood"
            );
            PaymentError::NoAnswer
        }
    }
}
