//! `health`: asks a server whether it is well, for containers that have no other client.

use super::small_runtime;
use crate::{ProgramError, client};
use std::{net::ToSocketAddrs, time::Duration};

/// How long the answer may take.
const ANSWERS_WITHIN: Duration = Duration::from_secs(3);

/// Fine when it answers 200.
///
/// # Errors
/// When the URL is none, or it answers otherwise or not at all.
pub fn run(url: &str) -> Result<(), ProgramError> {
    let refused = |why: String| ProgramError::Refused(format!("{url}: {why}"));
    let rest = url
        .strip_prefix("http://")
        .ok_or_else(|| refused("not of the form http://HOST:PORT/PATH".into()))?;
    let (authority, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
    let address = authority
        .to_socket_addrs()
        .ok()
        .and_then(|mut found| found.next())
        .ok_or_else(|| refused(format!("{authority} is no HOST:PORT that is known")))?;
    let asked = async {
        let mut bytes = Vec::new();
        client::request(&mut bytes, "GET", path, "Connection: close\r\n", b"");
        let mut connection = client::Connection::open(address).await?;
        let response = connection.send(&bytes).await?;
        Ok::<_, ProgramError>((
            response.status,
            String::from_utf8_lossy(response.body).into_owned(),
        ))
    };
    let answer = small_runtime()?.block_on(async { tokio::time::timeout(ANSWERS_WITHIN, asked).await });
    match answer {
        Err(_) => Err(refused("no answer in time".into())),
        Ok(Err(error)) => Err(refused(error.to_string())),
        Ok(Ok((200, _))) => Ok(()),
        Ok(Ok((status, body))) => Err(refused(format!("answered {status}: {body}"))),
    }
}
