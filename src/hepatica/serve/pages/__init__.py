"""Pages: the workbench in a browser, rendered on the server; its viewers are modules in static/."""
