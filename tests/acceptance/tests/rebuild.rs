//! The read models are made anew while tickets are sold, and swapped, without a wrong read.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use acceptance::{
    buyers::{Crowd, line, until, until_within},
    client, stories, tell, verify,
};
use stack::platform::{Platform, Shape};
use std::{process::ExitCode, time::Duration};

/// How long a rebuild may take beside sales that use up the machine: MongoDB's stand-in writes some hundred documents a
/// second then, and the second rebuild has thousands of purchases.
const ENDS_WITHIN: Duration = Duration::from_secs(180);

async fn a_rebuild_while_selling_swaps_without_a_wrong_read(platform: &Platform) {
    rebuild(platform, "rebuild-one-").await;
}

async fn rebuild(platform: &Platform, name: &str) {
    let crowd = Crowd::gather(platform, name, 3).await;
    let rebuilding = async {
        until("the sale", async || crowd.confirmed() > 300).await;
        let mut operator = client(platform).await;
        let path = "/api/operaciones/proyecciones";
        operator
            .send("POST", &format!("{path}/reconstruir"), "", "")
            .await
            .expect(202);
        let took = until_within(ENDS_WITHIN, "the end of the rebuild", async || {
            let answer = operator.get(path).await.expect(200);
            // The one at work answers, whichever nginx asks first.
            assert!(answer.body["posicion"].is_u64(), "{}", answer.text);
            let rebuild = &answer.body["reconstruccion"]["estado"];
            assert_ne!(rebuild, "fallida", "{}", answer.text);
            rebuild == "terminada"
        })
        .await;
        let before = crowd.confirmed();
        until("more sales", async || crowd.confirmed() > before + 50).await;
        crowd.enough();
        took
    };
    let (took, (), one, other) = futures_util::join!(
        rebuilding,
        crowd.buy(platform, 16),
        crowd.read(platform),
        crowd.read(platform)
    );
    println!(
        "  rebuilt in {:.1} s; reads: {}; {}",
        took.as_secs_f64(),
        line(&one),
        line(&other)
    );
    crowd.settle(platform).await;
    crowd.check(platform).await;
    verify(platform).await;
}

async fn a_second_rebuild_is_as_good_as_the_first(platform: &Platform) {
    rebuild(platform, "rebuild-two-").await;
}

fn main() -> ExitCode {
    tell(
        Shape::default(),
        &[],
        stories![
            a_rebuild_while_selling_swaps_without_a_wrong_read,
            a_second_rebuild_is_as_good_as_the_first,
        ],
    )
}
