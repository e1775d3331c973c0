package host

func (h *Host) takeRoutes() {}
