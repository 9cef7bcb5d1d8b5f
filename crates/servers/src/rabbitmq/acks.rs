//! Telling the broker what became of what it delivered on one channel: many messages in one word where their order
//! allows it, which costs the broker and us much less than one word each.

use super::driver::timely;
use futures_util::StreamExt;
use lapin::{
    Channel, Consumer,
    options::{BasicAckOptions, BasicCancelOptions, BasicNackOptions},
};
use std::{collections::BTreeSet, time::Duration};
use tokio::sync::mpsc;

/// How long is waited for what the broker sent before it heard that no more is wanted.
const LAST_ONES: Duration = Duration::from_secs(1);

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It was dealt with.
    Done,
    /// It goes back to the queue.
    Again,
    /// It is a dead letter.
    Dead,
}

/// Tells. The channel stays open while one of these lives.
#[derive(Clone)]
pub(super) struct Acks(mpsc::Sender<(u64, Verdict)>);

impl Acks {
    /// For a channel with one consumer, who has at most `prefetch` messages at a time.
    pub fn new(channel: Channel, prefetch: u16) -> Self {
        let (sender, receiver) = mpsc::channel(usize::from(prefetch).max(1));
        tokio::spawn(run(channel, receiver));
        Self(sender)
    }

    /// Once per message. There is room for as many as can be outstanding, so it never waits. After the end of the
    /// connection it is in vain: the message comes again.
    pub fn settle(&self, tag: u64, verdict: Verdict) {
        let _ = self.0.try_send((tag, verdict));
    }
}

async fn run(channel: Channel, mut verdicts: mpsc::Receiver<(u64, Verdict)>) {
    let mut settled = Settled::default();
    let mut words = Vec::new();
    while let Some(first) = verdicts.recv().await {
        settled.take(first, &mut words);
        while let Ok(next) = verdicts.try_recv() {
            settled.take(next, &mut words);
        }
        settled.tell(&mut words);
        for word in words.drain(..) {
            let told = match word {
                Word::Ack { tag, multiple } => {
                    timely("basic.ack", channel.basic_ack(tag, BasicAckOptions { multiple })).await
                }
                Word::Nack { tag, requeue } => {
                    let options = BasicNackOptions {
                        multiple: false,
                        requeue,
                    };
                    timely("basic.nack", channel.basic_nack(tag, options)).await
                }
            };
            if told.is_err() {
                // The channel is gone, and with it what was delivered on it.
                return;
            }
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Word {
    /// … and with `multiple`, of all before it.
    Ack {
        tag: u64,
        multiple: bool,
    },
    Nack {
        tag: u64,
        requeue: bool,
    },
}

/// Which messages are settled. Their tags are 1, 2, 3 …
#[derive(Default)]
struct Settled {
    /// All up to here are settled and told.
    below: u64,
    /// Those behind that are told.
    told: BTreeSet<u64>,
    /// Those that are done and not told.
    done: BTreeSet<u64>,
}

impl Settled {
    fn take(&mut self, (tag, verdict): (u64, Verdict), words: &mut Vec<Word>) {
        if verdict == Verdict::Done {
            self.done.insert(tag);
        } else {
            self.told.insert(tag);
            words.push(Word::Nack {
                tag,
                requeue: verdict == Verdict::Again,
            });
        }
    }

    /// What is to be told now.
    fn tell(&mut self, words: &mut Vec<Word>) {
        // The last of the unbroken row that was done: RabbitMQ wants a tag that is outstanding.
        let mut last = None;
        loop {
            let next = self.below + 1;
            if self.done.remove(&next) {
                last = Some(next);
            } else if !self.told.remove(&next) {
                break;
            }
            self.below = next;
        }
        if let Some(tag) = last {
            words.push(Word::Ack { tag, multiple: true });
        }
        for tag in std::mem::take(&mut self.done) {
            self.told.insert(tag);
            words.push(Word::Ack { tag, multiple: false });
        }
    }
}

/// Stops consuming and gives back what came and was not looked at; what was taken may still be settled.
pub(super) async fn retire(channel: &Channel, mut consumer: Consumer, acks: &Acks) {
    // One that cannot be cancelled is on a connection that ends.
    let _ = timely(
        "basic.cancel",
        channel.basic_cancel(consumer.tag(), BasicCancelOptions::default()),
    )
    .await;
    while let Ok(Some(Ok(delivery))) = tokio::time::timeout(LAST_ONES, consumer.next()).await {
        acks.settle(delivery.delivery_tag, Verdict::Again);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(settled: &mut Settled, verdicts: &[(u64, Verdict)]) -> Vec<Word> {
        let mut words = Vec::new();
        for verdict in verdicts {
            settled.take(*verdict, &mut words);
        }
        settled.tell(&mut words);
        words
    }

    #[test]
    fn an_unbroken_row_is_told_in_one_word_and_the_rest_one_by_one() {
        use Verdict::{Again, Dead, Done};
        let mut settled = Settled::default();
        let ack = |tag, multiple| Word::Ack { tag, multiple };
        let nack = |tag, requeue| Word::Nack { tag, requeue };
        assert_eq!(
            told(&mut settled, &[(2, Done), (1, Done), (3, Done), (5, Done)]),
            [ack(3, true), ack(5, false)]
        );
        assert_eq!(told(&mut settled, &[(4, Again)]), [nack(4, true)]);
        assert_eq!(
            told(&mut settled, &[(6, Done), (7, Dead)]),
            [nack(7, false), ack(6, true)],
            "not up to 7, which is told already"
        );
        assert_eq!(told(&mut settled, &[(8, Done)]), [ack(8, true)]);
        assert!(settled.told.is_empty() && settled.done.is_empty());
    }
}
