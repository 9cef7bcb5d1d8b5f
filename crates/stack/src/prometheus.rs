//! Prometheus with the alert rules of compose, scraping the nodes and RabbitMQ.

use crate::{Failed, Scratch, Server, free_port, repository};
use std::{fmt::Write as _, fs, net::SocketAddr, process::Command};

/// A running Prometheus.
pub struct Prometheus {
    server: Server,
    address: SocketAddr,
    _folder: Scratch,
}

/// Starts one that scrapes these targets, given as job and addresses, every second.
///
/// # Errors
/// When it is not installed or does not take the configuration.
pub fn start(jobs: &[(&str, Vec<SocketAddr>)]) -> Result<Prometheus, Failed> {
    let folder = Scratch::new("prometheus")?;
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()?));
    let rules = repository()?.join("compose/prometheus/alerts.yml");
    let mut text = format!(
        "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\nrule_files: ['{}']\nscrape_configs:\n",
        rules.display()
    );
    for (job, addresses) in jobs {
        let targets: Vec<String> = addresses.iter().map(|address| format!("'{address}'")).collect();
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "  - {{job_name: {job}, static_configs: [{{targets: [{}]}}]}}",
            targets.join(", ")
        );
    }
    let configuration = folder.path().join("prometheus.yml");
    fs::write(&configuration, text)?;
    let data = folder.path().join("data");
    let make = move || {
        let mut command = Command::new("prometheus");
        command
            .arg(format!("--config.file={}", configuration.display()))
            .arg(format!("--storage.tsdb.path={}", data.display()))
            .arg(format!("--web.listen-address={address}"))
            .arg("--log.level=warn");
        command
    };
    let server = Server::start("prometheus", folder.path(), address, make)?;
    Ok(Prometheus {
        server,
        address,
        _folder: folder,
    })
}

impl Prometheus {
    /// Where its API is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process.
    pub fn server(&self) -> &Server {
        &self.server
    }
}
