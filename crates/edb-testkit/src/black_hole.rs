//! A place at which connecting never ends.

use std::net::{Ipv4Addr, SocketAddr};

use socket2::{Domain, Socket, Type};

/// More than a backlog of nothing takes on any system we know.
const FILLERS: usize = 16;

/// A listener on loopback that accepts nobody and whose queue is full, so that a further connection neither succeeds nor
/// fails.
pub struct BlackHole {
    listener: Socket,
    _fillers: Vec<Socket>,
}

/// Opens a [`BlackHole`].
///
/// # Panics
/// If no loopback port can be had.
pub fn black_hole() -> BlackHole {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    listener.bind(&anywhere.into()).expect("a loopback port");
    listener.listen(0).expect("a listener");
    let address = listener.local_addr().expect("its address");
    let fillers = (0..FILLERS).map(|_| {
        let filler = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        filler.set_nonblocking(true).expect("a socket that does not wait");
        // On its way, or in the queue: either is what we want.
        let _ = filler.connect(&address);
        filler
    });
    let fillers = fillers.collect();
    BlackHole { listener, _fillers: fillers }
}

impl BlackHole {
    /// Its address.
    ///
    /// # Panics
    /// Never: it was bound to one of IPv4.
    pub fn address(&self) -> SocketAddr {
        self.listener.local_addr().expect("its address").as_socket().expect("an address of IPv4")
    }

    /// Its base URL.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_further_connection_neither_succeeds_nor_fails() {
        let hole = black_hole();
        assert!(hole.url().starts_with("http://127.0.0.1:"));
        let late = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        late.set_nonblocking(true).unwrap();
        // Loopback hands packets over at once: what is to be accepted is accepted before this returns.
        assert!(late.connect(&hole.address().into()).is_err());
        assert!(late.peer_addr().is_err(), "connected");
        assert!(late.take_error().unwrap().is_none(), "refused");
    }
}
