//! Which events of the whole log a client wants to see.

use crate::{
    convert::invalid,
    wire::{Expression, FilterOptions, FilterOver, Window},
};
use contract::Recorded;
use fancy_regex::{Regex, RegexBuilder};
use tonic::Status;

/// How many prefixes one filter may have, and how long they and a regular expression may be together.
const MAX_PREFIXES: usize = 1_024;
const MAX_BYTES: usize = 16 << 10;
/// How often an expression may turn back while it looks at one name. Look-ahead needs none of it.
const MAX_BACKTRACKS: usize = 20_000;
/// How many events a client considers as one window when it leaves it to us.
const DEFAULT_WINDOW: u32 = 32;

/// A filter, and how often its client wants to know how far we are.
pub(crate) struct Filter {
    over: Over,
    test: Test,
    /// A checkpoint comes after so many events were considered.
    pub checkpoint_every: u64,
}

enum Over {
    StreamName,
    EventType,
}

enum Test {
    Prefixes(Vec<String>),
    Regex(Box<Regex>),
    All,
}

impl Filter {
    pub(crate) fn new(options: FilterOptions) -> Result<Self, Status> {
        let window = match options.window {
            Some(Window::Max(0)) | None => return Err(invalid("a filter needs a window")),
            Some(Window::Max(window)) => window,
            Some(Window::Default(())) => DEFAULT_WINDOW,
        };
        if options.multiplier == 0 {
            return Err(invalid("the checkpoint interval multiplier is at least 1"));
        }
        let (over, expression) = match options.over {
            Some(FilterOver::StreamName(expression)) => (Over::StreamName, expression),
            Some(FilterOver::EventType(expression)) => (Over::EventType, expression),
            None => return Err(invalid("a filter is over stream names or event types")),
        };
        Ok(Self {
            over,
            test: Test::new(expression)?,
            checkpoint_every: u64::from(window) * u64::from(options.multiplier),
        })
    }

    /// Whether the client wants to see this event.
    pub(crate) fn accepts(&self, event: &Recorded) -> Result<bool, Status> {
        let text = match self.over {
            Over::StreamName => event.stream.as_str(),
            Over::EventType => &event.kind,
        };
        match &self.test {
            Test::Prefixes(prefixes) => Ok(prefixes.iter().any(|prefix| text.starts_with(prefix))),
            Test::Regex(regex) => regex
                .is_match(text)
                .map_err(|_| invalid("the filter's regular expression takes too long")),
            Test::All => Ok(true),
        }
    }
}

impl Test {
    /// Prefixes go before a regular expression, as in EventStoreDB; nothing at all accepts everything.
    fn new(Expression { regex, prefixes }: Expression) -> Result<Self, Status> {
        let bytes = regex.len() + prefixes.iter().map(String::len).sum::<usize>();
        if prefixes.len() > MAX_PREFIXES || bytes > MAX_BYTES {
            return Err(invalid("the filter is too long"));
        }
        if !prefixes.is_empty() {
            return Ok(Self::Prefixes(prefixes));
        }
        if regex.is_empty() {
            return Ok(Self::All);
        }
        RegexBuilder::new(&regex)
            .backtrack_limit(MAX_BACKTRACKS)
            .build()
            .map(|regex| Self::Regex(Box::new(regex)))
            .map_err(|_| invalid("the filter's regular expression is not one"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use contract::{EventId, Position, StreamName};
    use uuid::Uuid;

    fn filter(regex: &str, prefixes: &[&str]) -> Result<Filter, Status> {
        Filter::new(FilterOptions {
            over: Some(FilterOver::EventType(Expression {
                regex: regex.into(),
                prefixes: prefixes.iter().map(|&prefix| prefix.into()).collect(),
            })),
            window: Some(Window::Max(10)),
            multiplier: 3,
        })
    }

    fn accepts(filter: &Filter, kind: &str) -> Result<bool, Status> {
        filter.accepts(&Recorded {
            position: Position(64),
            stream: StreamName::new("s"),
            revision: 0,
            id: EventId(Uuid::nil()),
            kind: kind.into(),
            data: "1".into(),
            meta: "1".into(),
            decoded: None,
        })
    }

    #[test]
    fn prefixes_go_before_an_expression_and_nothing_accepts_everything() {
        let both = filter("^held", &["sold"]).unwrap();
        assert!(accepts(&both, "sold.v1").unwrap());
        assert!(!accepts(&both, "held.v1").unwrap());
        assert!(accepts(&filter("", &[]).unwrap(), "any").unwrap());
        assert_eq!(both.checkpoint_every, 30);
    }

    #[test]
    fn an_expression_may_match_anywhere_and_look_ahead() {
        assert!(accepts(&filter("old", &[]).unwrap(), "sold.v1").unwrap());
        let others = filter(r"^(?!(\$.+$|Result$))", &[]).unwrap();
        assert!(accepts(&others, "Results").unwrap());
        assert!(!accepts(&others, "$metadata").unwrap());
    }

    #[test]
    fn an_expression_that_takes_too_long_ends_the_call_not_the_server() {
        let slow = filter(r"^(?=(a|a)*(?!b)$)(a*)*\2c$", &[]).unwrap();
        let kind = "a".repeat(60);
        assert_eq!(
            accepts(&slow, &kind).unwrap_err().code(),
            tonic::Code::InvalidArgument
        );
    }

    #[test]
    fn a_filter_has_limits() {
        assert!(filter(&"a".repeat(MAX_BYTES + 1), &[]).is_err());
        assert!(filter("", &vec!["a"; MAX_PREFIXES + 1]).is_err());
        assert!(filter("(", &[]).is_err());
    }
}
