//! Ports of this machine's loopback, on which instances listen behind the stable address.

use std::io;
use std::net::{SocketAddr, TcpListener};

/// A port that is free now. Who gets it binds it a moment later; if another takes it in between, that is seen there.
pub fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind(("127.0.0.1", 0))?.local_addr()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_free_port_is_of_loopback_and_can_be_had() {
        let address = free_address().unwrap();
        assert!(address.ip().is_loopback());
        assert!(TcpListener::bind(address).is_ok());
    }
}
