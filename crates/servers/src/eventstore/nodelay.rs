//! TCP_NODELAY on the connections to the server.
//!
//! The crate sets none and has no option for it (fixed in its repository, never released). It writes a call's
//! headers and its body one after the other; Nagle's algorithm holds the second back until the first is
//! acknowledged, which a server that delays acknowledgements does after 40 ms. So every call that has the connection
//! to itself takes 44 ms instead of 0.3.
//!
//! Linux lists this process's sockets, with their peers, in `/proc/self`; `pidfd_getfd` gives one of them a second
//! time, safely, and an option set on either is set on both. The crate's HTTP client opens connections whenever it
//! needs one, so this is done again and again. Peers are told by port, since the addresses of a cluster's nodes come
//! from its gossip.
//!
//! Docker's default seccomp profile allows `pidfd_getfd` with `cap_add: [SYS_PTRACE]` only; without it this warns
//! once, and calls are slow but right. Elsewhere than on Linux it does nothing.

/// Sets the option on each connection once.
#[derive(Default)]
pub(super) struct Nodelay {
    ports: Vec<u16>,
    /// The connections that were looked at, by inode: ours have it, the others are other processes'.
    done: Vec<u64>,
    warned: bool,
}

impl Nodelay {
    pub fn new(ports: Vec<u16>) -> Self {
        Self {
            ports,
            ..Self::default()
        }
    }

    /// Sets it on those that do not have it yet. Blocks for some 100 µs.
    pub fn set(mut self) -> Self {
        if let Err(error) = self.try_set()
            && !self.warned
        {
            self.warned = true;
            tracing::warn!(%error, "TCP_NODELAY cannot be set: calls to EventStoreDB may take 40 ms longer");
        }
        self
    }

    #[cfg(target_os = "linux")]
    fn try_set(&mut self) -> std::io::Result<()> {
        let open = linux::connections(&self.ports)?;
        self.done.retain(|inode| open.contains(inode));
        let new: Vec<u64> = open
            .into_iter()
            .filter(|inode| !self.done.contains(inode))
            .collect();
        if !new.is_empty() {
            linux::set(&new)?;
            self.done.extend(new);
        }
        Ok(())
    }

    #[cfg(not(target_os = "linux"))]
    fn try_set(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};
    use std::{fs, io, net::TcpStream};

    /// The state of a connection that both sides have, as `/proc/net/tcp` writes it.
    const ESTABLISHED: &str = "01";

    /// The inodes of the established connections to a peer at one of these ports. They may be other processes'.
    pub fn connections(ports: &[u16]) -> io::Result<Vec<u64>> {
        let mut found = Vec::new();
        for table in ["/proc/self/net/tcp", "/proc/self/net/tcp6"] {
            let text = match fs::read_to_string(table) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                text => text?,
            };
            found.extend(text.lines().skip(1).filter_map(|line| connection(line, ports)));
        }
        Ok(found)
    }

    /// `sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode …`
    fn connection(line: &str, ports: &[u16]) -> Option<u64> {
        let mut columns = line.split_ascii_whitespace().skip(2);
        let (_, port) = columns.next()?.rsplit_once(':')?;
        if columns.next()? != ESTABLISHED || !ports.contains(&u16::from_str_radix(port, 16).ok()?) {
            return None;
        }
        columns.nth(5)?.parse().ok()
    }

    /// Sets the option on those of these connections that are ours.
    pub fn set(inodes: &[u64]) -> io::Result<()> {
        let process = pidfd_open(getpid(), PidfdFlags::empty())?;
        for entry in fs::read_dir("/proc/self/fd")? {
            let entry = entry?;
            // Closed in the meantime, or no socket, or none of these.
            let Some(inode) = fs::read_link(entry.path())
                .ok()
                .and_then(|link| inode(link.to_str()?))
            else {
                continue;
            };
            let Some(number) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
                continue;
            };
            if inodes.contains(&inode) {
                let socket = TcpStream::from(pidfd_getfd(&process, number, PidfdGetfdFlags::empty())?);
                socket.set_nodelay(true)?;
            }
        }
        Ok(())
    }

    fn inode(link: &str) -> Option<u64> {
        link.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
    }
}

#[cfg(all(test, target_os = "linux"))]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn connections_to_the_servers_port_get_the_option_and_no_others() {
        let (server, other) = (
            TcpListener::bind("127.0.0.1:0").unwrap(),
            TcpListener::bind("127.0.0.1:0").unwrap(),
        );
        let to_server = TcpStream::connect(server.local_addr().unwrap()).unwrap();
        let to_other = TcpStream::connect(other.local_addr().unwrap()).unwrap();
        assert!(!to_server.nodelay().unwrap());
        let nodelay = Nodelay::new(vec![server.local_addr().unwrap().port()]).set();
        assert!(!nodelay.warned);
        assert!(to_server.nodelay().unwrap() && !to_other.nodelay().unwrap());
        let next = TcpStream::connect(server.local_addr().unwrap()).unwrap();
        drop(to_server);
        nodelay.set();
        assert!(next.nodelay().unwrap());
    }
}
