"""Outside systems: four systems as another package would bring them."""
