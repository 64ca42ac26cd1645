//! Bytes between a thread that reads or writes and a task that must not wait for it, with a bound on what is under way.

use std::io::{self, Read, Write};

use tokio::sync::mpsc;

/// Bytes of one piece.
const PIECE: usize = 64 << 10;

/// Writes into a channel; for a thread of its own.
#[derive(Debug)]
pub struct ChannelWriter {
    sender: mpsc::Sender<io::Result<Vec<u8>>>,
    buffer: Vec<u8>,
}

impl ChannelWriter {
    /// A writer into `sender`.
    pub fn new(sender: mpsc::Sender<io::Result<Vec<u8>>>) -> Self {
        Self { sender, buffer: Vec::with_capacity(PIECE) }
    }

    fn send(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let piece = std::mem::replace(&mut self.buffer, Vec::with_capacity(PIECE));
        self.sender.blocking_send(Ok(piece)).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

impl Write for ChannelWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = PIECE.saturating_sub(self.buffer.len()).min(bytes.len());
        let taken = bytes.get(..room).unwrap_or(bytes);
        self.buffer.extend_from_slice(taken);
        if self.buffer.len() >= PIECE {
            self.send()?;
        }
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.send()
    }
}

/// Reads from a channel; for a thread of its own.
#[derive(Debug)]
pub struct ChannelReader {
    receiver: mpsc::Receiver<Vec<u8>>,
    piece: io::Cursor<Vec<u8>>,
}

impl ChannelReader {
    /// A reader from `receiver`; it ends when nobody can send any more.
    pub fn new(receiver: mpsc::Receiver<Vec<u8>>) -> Self {
        Self { receiver, piece: io::Cursor::default() }
    }
}

impl Read for ChannelReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.piece.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            match self.receiver.blocking_recv() {
                Some(piece) => self.piece = io::Cursor::new(piece),
                None => return Ok(0),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_through_in_pieces_and_end_with_their_sender() {
        let (sender, mut receiver) = mpsc::channel(64);
        let mut writer = ChannelWriter::new(sender);
        let sent: Vec<u8> = (0..200_000_u32).map(|number| u8::try_from(number % 251).unwrap()).collect();
        writer.write_all(&sent).unwrap();
        writer.flush().unwrap();
        drop(writer);
        let (forward, back) = mpsc::channel(64);
        while let Some(piece) = receiver.blocking_recv() {
            forward.blocking_send(piece.unwrap()).unwrap();
        }
        drop(forward);
        let mut received = Vec::new();
        ChannelReader::new(back).read_to_end(&mut received).unwrap();
        assert!(received == sent);
    }

    #[test]
    fn who_writes_hears_that_nobody_reads_any_more() {
        let (sender, receiver) = mpsc::channel(1);
        drop(receiver);
        let mut writer = ChannelWriter::new(sender);
        let error = writer.write_all(b"x").and_then(|()| writer.flush()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }
}
