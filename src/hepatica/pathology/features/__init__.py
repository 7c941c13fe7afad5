"""Features: what frozen encoders say of the tiles of a slide, computed once a slide or brought from elsewhere."""
