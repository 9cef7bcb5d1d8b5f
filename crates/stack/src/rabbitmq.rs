//! RabbitMQ (Debian's `rabbitmq-server`) as a node of its own, beside any other: own ports, own folders, own epmd.

use crate::{Failed, Scratch, Server, free_port};
use std::{fs, net::SocketAddr, path::Path, process::Command};

/// A running RabbitMQ, with the management and Prometheus plugins.
pub struct RabbitMq {
    server: Server,
    amqp: u16,
    management: u16,
    prometheus: u16,
    /// Behind the node in this order: dropped after it. Outlives a killed node, as a machine's epmd does.
    _epmd: Server,
    folder: Scratch,
}

/// Starts one. Takes about six seconds.
///
/// # Errors
/// When it is not installed or does not start.
pub fn start() -> Result<RabbitMq, Failed> {
    let folder = Scratch::new("rabbitmq")?;
    let (amqp, management, prometheus) = (free_port()?, free_port()?, free_port()?);
    let (epmd_port, distribution) = (free_port()?, free_port()?);
    let dir = folder.path().to_owned();
    write_configuration(&dir, amqp, management, prometheus)?;
    let local = |port| SocketAddr::from(([127, 0, 0, 1], port));
    let epmd = Server::start("epmd", &dir, local(epmd_port), move || {
        let mut command = Command::new("epmd");
        command
            .args(["-address", "127.0.0.1", "-port"])
            .arg(epmd_port.to_string());
        command
    })?;
    let make = move || {
        let mut command = Command::new("/usr/lib/rabbitmq/bin/rabbitmq-server");
        command
            .env("HOME", &dir)
            .env("RABBITMQ_NODENAME", format!("eventflow{amqp}@localhost"))
            .env("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1")
            .env("RABBITMQ_NODE_PORT", amqp.to_string())
            .env("RABBITMQ_DIST_PORT", distribution.to_string())
            .env("RABBITMQ_MNESIA_BASE", dir.join("mnesia"))
            .env("RABBITMQ_LOG_BASE", dir.join("log"))
            .env("RABBITMQ_PID_FILE", dir.join("pid"))
            .env("RABBITMQ_CONFIG_FILE", dir.join("rabbitmq.conf"))
            .env("RABBITMQ_ENABLED_PLUGINS_FILE", dir.join("enabled_plugins"))
            .env("ERL_EPMD_ADDRESS", "127.0.0.1")
            .env("ERL_EPMD_PORT", epmd_port.to_string())
            .env(
                "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
                "-kernel inet_dist_use_interface {127,0,0,1}",
            );
        command
    };
    let server = Server::start("rabbitmq", folder.path(), local(amqp), make)?;
    Ok(RabbitMq {
        server,
        amqp,
        management,
        prometheus,
        _epmd: epmd,
        folder,
    })
}

fn write_configuration(dir: &Path, amqp: u16, management: u16, prometheus: u16) -> Result<(), Failed> {
    fs::create_dir_all(dir.join("mnesia"))?;
    fs::create_dir_all(dir.join("log"))?;
    fs::write(
        dir.join("enabled_plugins"),
        "[rabbitmq_management,rabbitmq_prometheus].\n",
    )?;
    fs::write(
        dir.join("rabbitmq.conf"),
        format!(
            "listeners.tcp.1 = 127.0.0.1:{amqp}\n\
             management.tcp.ip = 127.0.0.1\nmanagement.tcp.port = {management}\n\
             prometheus.tcp.ip = 127.0.0.1\nprometheus.tcp.port = {prometheus}\n\
             disk_free_limit.absolute = 200MB\nvm_memory_high_watermark.absolute = 1GB\n"
        ),
    )?;
    Ok(())
}

impl RabbitMq {
    /// Its connection string: guest on the default virtual host.
    pub fn url(&self) -> String {
        format!("amqp://guest:guest@127.0.0.1:{}/%2f", self.amqp)
    }

    /// The address of its management API and UI.
    pub fn management(&self) -> String {
        format!("http://127.0.0.1:{}", self.management)
    }

    /// The port of its Prometheus plugin.
    pub fn prometheus(&self) -> u16 {
        self.prometheus
    }

    /// Where it keeps its files and what it printed.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Its process.
    pub fn server(&self) -> &Server {
        &self.server
    }
}
