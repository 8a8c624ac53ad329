"""Following a face live: pictures as they come, frames as they are due."""
