//! Seats of one show are held and given back, again and again: what a hot on-sale is before anybody pays.

use super::{
    Plan,
    catalogue::Catalogue,
    disk,
    load::{Measured, Step, Until, Verdict, drive_in_steps},
    server::Target,
    stadium::{CAPACITY, Stadium, chance, seat},
    table::{Cost, Table},
    workloads::refuse_unwanted,
};
use crate::{
    ProgramError,
    client::{Response, request},
};

/// Which seats somebody asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Choice {
    /// One or two side by side, by name: whoever looks at the map.
    Named,
    /// Two, the best there are.
    Best,
}

/// Holds and releases, by name and then the best.
pub async fn hold_and_release(
    plan: &Plan,
    target: &Target,
    catalogue: &Catalogue,
    table: &mut Table,
) -> Result<(), ProgramError> {
    let stadium = Stadium::build(target).await?;
    for (choice, name) in [
        (Choice::Named, "hold and release, named seats of one show"),
        (Choice::Best, "hold and release, the best two of one show"),
    ] {
        let before = target
            .own()
            .map(|server| disk::bytes_in_use(&server.data))
            .transpose()?;
        let cost = Cost::begin(target);
        let measured = pairs(plan, target, catalogue, &stadium, choice).await?;
        let mut cost = cost.end(target, measured.wanted);
        refuse_unwanted(&measured, name)?;
        let tally = stadium.tally(target, measured.position).await?;
        if tally != [u64::from(CAPACITY), 0, 0] {
            let message = format!("{name}: all was released, and free, held and sold are {tally:?}");
            return Err(ProgramError::Bench(message));
        }
        if let (Some(server), Some(before)) = (target.own(), before) {
            let grown = disk::bytes_in_use(&server.data)?.saturating_sub(before);
            cost.bytes = Some(grown / measured.wanted.max(1));
        }
        table.measured(name, &measured, target, Some(cost));
        if measured.refused > 0 {
            let refused = measured.refused;
            table.note(&format!(
                "{name}: {refused} times a seat was somebody else's at that moment; not counted"
            ));
        }
    }
    Ok(())
}

/// Each pair is a hold (201) and its release (204), measured as one.
async fn pairs(
    plan: &Plan,
    target: &Target,
    catalogue: &Catalogue,
    stadium: &Stadium,
    choice: Choice,
) -> Result<Measured, ProgramError> {
    let path = format!("/api/eventos/{}/bloqueos", stadium.show);
    let hold = |index: u64, buffer: &mut Vec<u8>| {
        let person = &catalogue.people[index as usize % catalogue.people.len()];
        let wanted = match choice {
            Choice::Best => "\"cantidad\":2".to_owned(),
            Choice::Named => {
                let first = (chance(index) % u64::from(CAPACITY)) as u32;
                match index % 2 {
                    0 => format!("\"asientos\":[\"{}\"]", seat(first)),
                    // The neighbour: rows are even, so both are in one.
                    _ => format!("\"asientos\":[\"{}\",\"{}\"]", seat(first), seat(first ^ 1)),
                }
            }
        };
        let body = format!("{{\"usuario_id\":\"{person}\",{wanted}}}");
        request(buffer, "POST", &path, "", body.as_bytes());
    };
    let then = |_: u64, response: &Response<'_>, buffer: &mut Vec<u8>| match response.status {
        201 => match response.header("location") {
            Some(location) => {
                request(buffer, "DELETE", location, "", b"");
                Step::Next
            }
            None => Step::Over(Verdict::Unwanted),
        },
        204 => Step::Over(Verdict::Wanted),
        409 if choice == Choice::Named && says(response, "ASIENTOS_OCUPADOS") => Step::Over(Verdict::Refused),
        _ => Step::Over(Verdict::Unwanted),
    };
    let until = Until::Elapsed(plan.lasting);
    Ok(drive_in_steps(target.address(), plan.in_flight, until, hold, then).await?)
}

fn says(response: &Response<'_>, code: &str) -> bool {
    response.json()["codigo"] == code
}
