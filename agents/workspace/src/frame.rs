//! Frames: two big-endian u32 (bytes of header, bytes of payload), a JSON header, a raw payload.

use std::io::{self, Read, Write};

pub const MAX_HEADER_BYTES: usize = 256 * 1024;
pub const MAX_PAYLOAD_BYTES: usize = 1024 * 1024;

#[derive(Debug)]
pub struct Frame {
    pub header: Vec<u8>,
    pub payload: Vec<u8>,
}

#[derive(Debug)]
pub enum ReadError {
    /// The peer closed the connection between two frames.
    Closed,
    /// A length beyond the limits; nothing was allocated for it.
    TooLong(String),
    Io(#[allow(dead_code, reason = "shown by Debug")] io::Error),
}

/// Reads one frame. Lengths are checked before memory is taken.
pub fn read(from: &mut impl Read) -> Result<Frame, ReadError> {
    let mut lengths = [0u8; 8];
    let mut filled = 0;
    while filled < lengths.len() {
        match from.read(&mut lengths[filled..]) {
            Ok(0) if filled == 0 => return Err(ReadError::Closed),
            Ok(0) => return Err(ReadError::Io(io::ErrorKind::UnexpectedEof.into())),
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(ReadError::Io(error)),
        }
    }
    let [a, b, c, d, e, f, g, h] = lengths;
    let header = u32::from_be_bytes([a, b, c, d]) as usize;
    let payload = u32::from_be_bytes([e, f, g, h]) as usize;
    if header > MAX_HEADER_BYTES || payload > MAX_PAYLOAD_BYTES {
        let message = format!(
            "a frame of {header} + {payload} bytes exceeds {MAX_HEADER_BYTES} for the header or {MAX_PAYLOAD_BYTES} for the payload"
        );
        return Err(ReadError::TooLong(message));
    }
    let mut frame = Frame { header: vec![0; header], payload: vec![0; payload] };
    from.read_exact(&mut frame.header).map_err(ReadError::Io)?;
    from.read_exact(&mut frame.payload).map_err(ReadError::Io)?;
    Ok(frame)
}

/// Writes one frame with one system call where the socket takes it whole.
pub fn write(to: &mut impl Write, header: &[u8], payload: &[u8]) -> io::Result<()> {
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput));
    let mut bytes = Vec::with_capacity(8 + header.len() + payload.len());
    bytes.extend_from_slice(&length(header)?.to_be_bytes());
    bytes.extend_from_slice(&length(payload)?.to_be_bytes());
    bytes.extend_from_slice(header);
    bytes.extend_from_slice(payload);
    to.write_all(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut bytes = Vec::new();
        write(&mut bytes, b"{}", b"\x00\xff").expect("written");
        write(&mut bytes, b"{\"id\":1}", b"").expect("written");
        let mut from = bytes.as_slice();
        assert_eq!(read(&mut from).expect("first").payload, b"\x00\xff");
        assert_eq!(read(&mut from).expect("second").header, b"{\"id\":1}");
        assert!(matches!(read(&mut from), Err(ReadError::Closed)));
    }

    #[test]
    fn lengths_beyond_the_limits_are_refused_before_memory_is_taken() {
        for lengths in [[0xff; 8], [0, 0, 0, 2, 0xff, 0xff, 0xff, 0xff], [0xff, 0, 0, 0, 0, 0, 0, 0]] {
            assert!(matches!(read(&mut lengths.as_slice()), Err(ReadError::TooLong(_))), "{lengths:?}");
        }
    }

    #[test]
    fn a_frame_cut_short_is_an_error() {
        assert!(matches!(read(&mut [0u8, 0, 0].as_slice()), Err(ReadError::Io(_))));
        assert!(matches!(read(&mut [0u8, 0, 0, 4, 0, 0, 0, 0, b'{'].as_slice()), Err(ReadError::Io(_))));
    }
}
