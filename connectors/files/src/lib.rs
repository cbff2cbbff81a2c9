//! Documents from folders and files on this machine.
