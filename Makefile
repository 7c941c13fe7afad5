demo test check docs lock:
	./run $@
.PHONY: demo test check docs lock
