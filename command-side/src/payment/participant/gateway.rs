//! Talking to the gateway until it is known what it did.
//!
//! A silent gateway may have charged. So silence is never a decision: whatever was begun is ended first (`void`,
//! which also makes a charge that never arrived impossible), and then the gateway's own ledger says what it is.

use crate::app::App;
use contract::{Failure, Money, ReservationId, Timestamp, refusal::DeclineReason};
use ports::{Charge, ChargeOutcome, Ledger, PaymentError};

/// The first pause between two tries; each is twice as long as the one before, up to [`LONGEST_PAUSE_MS`].
const FIRST_PAUSE_MS: u64 = 50;
const LONGEST_PAUSE_MS: u64 = 2_000;

/// What became of a charge, for certain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The money was taken.
    Captured,
    /// It was not, and will not be.
    Declined(DeclineReason),
}

/// The gateway, for one reservation and until one deadline.
pub(super) struct Gateway<'a> {
    pub app: &'a App,
    pub reservation_id: ReservationId,
    pub deadline: Timestamp,
}

impl Gateway<'_> {
    /// Charges, and finds out what came of it when the answer does not tell.
    ///
    /// # Errors
    /// The deadline passed before that was known; the same charge can be tried again.
    pub async fn charge(&self, amount: Money, token: &str) -> Result<Verdict, Failure> {
        let charge = Charge {
            reservation_id: self.reservation_id,
            amount,
            token: token.to_owned(),
        };
        let mut pause_ms = FIRST_PAUSE_MS;
        loop {
            match self.in_time(self.app.payments.charge(charge.clone())).await {
                Ok(ChargeOutcome::Captured) => return Ok(Verdict::Captured),
                Ok(ChargeOutcome::Declined(reason)) => return Ok(Verdict::Declined(reason)),
                Ok(ChargeOutcome::Authorised) => return self.end(DeclineReason::CaptureFailed).await,
                Err(PaymentError::NoAnswer) => return self.end(DeclineReason::NoAnswer).await,
                // It did not happen: try again while there is time.
                Err(PaymentError::Unavailable(what)) => pause_ms = self.pause(pause_ms, what).await?,
            }
        }
    }

    /// Gives back all that was captured, and makes every later capture impossible. Tells what was captured;
    /// `None` when nothing ever was.
    ///
    /// # Errors
    /// The deadline passed before that was certain; it can be tried again.
    pub async fn give_back(&self) -> Result<Option<Money>, Failure> {
        self.insist(|| self.app.payments.void(self.reservation_id))
            .await?;
        let captured = self
            .ledger()
            .await?
            .map(|ledger| ledger.captured)
            .filter(|amount| amount.minor > 0);
        if captured.is_some() {
            self.insist(|| self.app.payments.refund(self.reservation_id))
                .await?;
        }
        Ok(captured)
    }

    /// Ends a charge that did not come to its end, unless it was captured all the same.
    async fn end(&self, reason: DeclineReason) -> Result<Verdict, Failure> {
        if let Some(verdict) = self.captured().await? {
            return Ok(verdict);
        }
        self.insist(|| self.app.payments.void(self.reservation_id))
            .await?;
        // It may have been captured between the look and the void, which leaves a capture as it is.
        Ok(self.captured().await?.unwrap_or(Verdict::Declined(reason)))
    }

    async fn captured(&self) -> Result<Option<Verdict>, Failure> {
        Ok(match self.ledger().await? {
            Some(ledger) if ledger.captured.minor == 0 => None,
            Some(ledger) if ledger.refunded == ledger.captured => {
                Some(Verdict::Declined(DeclineReason::Voided))
            }
            Some(_) => Some(Verdict::Captured),
            None => None,
        })
    }

    async fn ledger(&self) -> Result<Option<Ledger>, Failure> {
        self.insist(|| self.app.payments.find(self.reservation_id)).await
    }

    /// Tries until it is done. Only for what may be done twice.
    async fn insist<T, F>(&self, attempt: impl Fn() -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, PaymentError>>,
    {
        let mut pause_ms = FIRST_PAUSE_MS;
        loop {
            match self.in_time(attempt()).await {
                Ok(done) => return Ok(done),
                Err(error) => pause_ms = self.pause(pause_ms, error.to_string()).await?,
            }
        }
    }

    /// The gateway's answer, or that there was none in time.
    async fn in_time<T>(
        &self,
        call: impl Future<Output = Result<T, PaymentError>>,
    ) -> Result<T, PaymentError> {
        let patience = self.app.clock.now().plus_ms(self.app.settings.payment_timeout_ms);
        tokio::select! {
            biased;
            answer = call => answer,
            () = self.app.clock.sleep_until(patience) => Err(PaymentError::NoAnswer),
        }
    }

    /// Waits before the next try, and says how long to wait after that. Fails when the deadline comes first.
    async fn pause(&self, pause_ms: u64, what: String) -> Result<u64, Failure> {
        let next = self.app.clock.now().plus_ms(pause_ms);
        if next > self.deadline {
            return Err(Failure::Unknown {
                what: format!("the payment gateway: {what}"),
            });
        }
        self.app.clock.sleep_until(next).await;
        Ok((pause_ms * 2).min(LONGEST_PAUSE_MS))
    }
}
