package web

import "furrow/web/api"

// addressPage is what setup-address.html and address.html show.
type addressPage struct {
	setUpPage
	api.Address
	// Going is where the page goes on when the box has started again, empty while it need not.
	Going string
}

func (v *visit) addressPage() (addressPage, error) {
	now, err := v.client.Address(v.ctx())
	if err != nil {
		return addressPage{}, err
	}
	p := addressPage{setUpPage: v.setUpPage(v.form("address.change", input{name: "host", required: true, wide: true, autocomplete: "off"})), Address: now}
	p.Reach = v.site.Reach(v.ctx(), now.ServerURL)
	return p, nil
}

// showAddress shows the address, with the form to change it.
func (v *visit) showAddress(template string) error {
	p, err := v.addressPage()
	if err != nil {
		return err
	}
	p.Form.fill(map[string]string{"host": p.Reach.Host})
	return v.render(template, p)
}

// changeAddress has clients find the box under another name, and the box start again with it.
func (v *visit) changeAddress(template string) error {
	p, err := v.addressPage()
	if err != nil {
		return err
	}
	if p.Form.complete() {
		if p.Address, err = v.client.ChooseHost(v.ctx(), p.Form.value("host")); err == nil {
			if _, err := v.client.Restart(v.ctx()); err != nil {
				return err
			}
			p.Going = v.r.URL.Path
			return v.render(template, p)
		}
		if err = p.Form.refused(err); err != nil {
			return err
		}
	}
	return v.again(template, p)
}

func getAddress(v *visit) error       { return v.showAddress("address.html") }
func postAddress(v *visit) error      { return v.changeAddress("address.html") }
func getSetUpAddress(v *visit) error  { return v.showAddress("setup-address.html") }
func postSetUpAddress(v *visit) error { return v.changeAddress("setup-address.html") }
