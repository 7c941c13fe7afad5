demo test check lock:
	./run $@
.PHONY: demo test check lock
