//! `dead-letters`: messages that RabbitMQ gave up delivering, because nobody could carry them out so many times.

use super::small_runtime;
use crate::{ProgramError, cli::DeadLettersAction, prepare};
use servers::rabbitmq::dead_letters::{self, DeadLetter, DeadLettersError, Which};

/// Does what was asked.
///
/// # Errors
/// When RabbitMQ is away, or has no such letter.
pub fn run(action: DeadLettersAction) -> Result<(), ProgramError> {
    match action {
        DeadLettersAction::List { limit, settings } => {
            let settings = prepare(settings)?;
            let letters = small_runtime()?.block_on(dead_letters::list(
                &settings.rabbitmq_url,
                &settings.namespace,
                limit as usize,
            ))?;
            letters.iter().for_each(print);
            println!("{} dead letters", letters.len());
            Ok(())
        }
        DeadLettersAction::Show { id, settings } => {
            let settings = prepare(settings)?;
            let show = dead_letters::show(&settings.rabbitmq_url, &settings.namespace, &id);
            let letters = small_runtime()?.block_on(show)?;
            for letter in &letters {
                print(letter);
                println!("  from {} by {}", letter.exchange, letter.routing_key);
                println!("{}", letter.body);
            }
            none_is_refused(&letters, &id)
        }
        DeadLettersAction::Requeue { id, all, settings } => {
            let settings = prepare(settings)?;
            let which = match (id, all) {
                (Some(id), false) => Which::Id(id),
                (None, true) => Which::All,
                _ => {
                    let why = "name the letter that goes back, or say --all";
                    return Err(ProgramError::Refused(why.into()));
                }
            };
            let requeue = dead_letters::requeue(&settings.rabbitmq_url, &settings.namespace, &which);
            let letters = small_runtime()?.block_on(requeue)?;
            letters.iter().for_each(print);
            println!("{} put back", letters.len());
            match &which {
                Which::Id(id) => none_is_refused(&letters, id),
                Which::All => Ok(()),
            }
        }
    }
}

impl From<DeadLettersError> for ProgramError {
    fn from(error: DeadLettersError) -> Self {
        ProgramError::Refused(format!("{error}; EVENTFLOW_RABBITMQ_URL says where"))
    }
}

fn none_is_refused(letters: &[DeadLetter], id: &str) -> Result<(), ProgramError> {
    if letters.is_empty() {
        return Err(ProgramError::Refused(format!("there is no dead letter {id}")));
    }
    Ok(())
}

fn print(letter: &DeadLetter) {
    let at = letter.at_ms.map_or_else(|| "?".to_string(), |at| at.rfc3339());
    println!(
        "{} {at} {} in {}: {} ({} times), {}",
        letter.id,
        letter.kind,
        letter.queue,
        letter.reason,
        letter.count,
        letter.streams.join(" ")
    );
}
