"""The web page where people compare faces, and the page of those who run it."""
