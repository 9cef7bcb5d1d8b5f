//! The whole platform on real servers, to measure it or to look at it: `cargo run --release -p acceptance --example
//! platform -- 1 1 1 1` starts so many nodes of command side, query side, projector and orchestrator (3, 2, 2, 2 when
//! not told otherwise), prints where it is and an administrator's token, and ends everything when its input ends.
//!
//! Build the program before: `cargo build --release`. The servers must be there: `tests/servers` brings them.
//! Variables for the nodes come after the numbers: `EVENTFLOW_LANES=1`.

use acceptance::{log_in, ready};
use stack::platform::{Platform, Shape};
use std::{env, error::Error, io};

fn main() -> Result<(), Box<dyn Error>> {
    let (mut counts, mut variables) = (Vec::new(), Vec::new());
    for argument in env::args().skip(1) {
        match argument.split_once('=') {
            Some((name, value)) => variables.push((name.to_owned(), value.to_owned())),
            None => counts.push(argument.parse()?),
        }
    }
    let shape = match *counts {
        [] => Shape::default(),
        [command_side, query_side, projectors, orchestrators] => Shape {
            command_side,
            query_side,
            projectors,
            orchestrators,
        },
        _ => return Err("four numbers of nodes, or none".into()),
    };
    let variables: Vec<(&str, &str)> = variables
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let platform = Platform::start(shape, &variables)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let token = runtime.block_on(async {
        ready(&platform).await;
        log_in(&platform).await
    });
    println!("URL=http://{}", platform.address());
    println!("EVENTFLOW_TOKEN={token}");
    for node in platform.nodes() {
        println!("{} http://{}", node.name(), node.address());
    }
    println!("log {}", platform.log_folder().display());
    // Until the input ends, or a line comes.
    io::stdin().read_line(&mut String::new())?;
    Ok(())
}
