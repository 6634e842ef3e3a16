//! A proxy that holds every byte back.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::{Duration, Instant};

/// How long a byte is under way in each direction.
const DELAY: Duration = Duration::from_millis(25);
/// How many pieces may be under way: at 64 KiB each, 1.25 GB/s and more.
const UNDER_WAY: usize = 1024;

/// Listens on a port of its own, and passes each connection on to the target, late. Its threads end with the process.
pub(crate) fn listen() -> (u16, impl FnOnce(u16)) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = listener.local_addr().expect("it is bound").port();
    let serve = move |target: u16| {
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(("127.0.0.1", target)) else { continue };
                let pairs = [(&client, &server), (&server, &client)];
                for (from, to) in pairs.map(|(from, to)| (from.try_clone(), to.try_clone())) {
                    if let (Ok(from), Ok(to)) = (from, to) {
                        pass(from, to);
                    }
                }
            }
        });
    };
    (port, serve)
}

/// Passes on what one side says, each piece when its time has come.
fn pass(mut from: TcpStream, mut to: TcpStream) {
    drop(to.set_nodelay(true));
    let (pieces, due) = sync_channel::<(Instant, Vec<u8>)>(UNDER_WAY);
    thread::spawn(move || {
        let mut buffer = vec![0; 64 << 10];
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            if pieces.send((Instant::now() + DELAY, buffer[..read].to_vec())).is_err() {
                break;
            }
        }
    });
    thread::spawn(move || {
        while let Ok((moment, piece)) = due.recv() {
            thread::sleep(moment.saturating_duration_since(Instant::now()));
            if to.write_all(&piece).is_err() {
                break;
            }
        }
        drop(to.shutdown(Shutdown::Write));
    });
}
