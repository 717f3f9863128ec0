// SPDX-License-Identifier: MIT

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

const (
	room = 1234
	feed = 1
)

type dict = map[string]any

// A session with Janus's videoroom over its HTTP transport.
type janus struct {
	url, session, handle string
}

func call(method, url string, body dict) dict {
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		fail(err)
		content = bytes.NewReader(text)
	}
	request, err := http.NewRequest(method, url, content)
	fail(err)
	answer, err := http.DefaultClient.Do(request)
	fail(err)
	defer answer.Body.Close()
	var out dict
	decoder := json.NewDecoder(answer.Body)
	decoder.UseNumber()
	fail(decoder.Decode(&out))
	if out["janus"] == "error" {
		fail(fmt.Errorf("janus: %v", out["error"]))
	}
	return out
}

func id(answer dict) string {
	return string(answer["data"].(dict)["id"].(json.Number))
}

func newJanus(url string) *janus {
	j := &janus{url: url}
	j.session = id(call("POST", url, dict{"janus": "create", "transaction": "c"}))
	j.handle = id(call("POST", url+"/"+j.session, dict{"janus": "attach", "plugin": "janus.plugin.videoroom", "transaction": "a"}))
	return j
}

func (j *janus) send(body dict, jsep dict) {
	message := dict{"janus": "message", "transaction": "m", "body": body}
	if jsep != nil {
		message["jsep"] = jsep
	}
	call("POST", j.url+"/"+j.session+"/"+j.handle, message)
}

// The session description of the next event that has one.
func (j *janus) description() string {
	for i := 0; i < 20; i++ {
		event := call("GET", j.url+"/"+j.session+"?maxev=1", nil)
		if data, yes := event["plugindata"].(dict); yes {
			if problem, bad := data["data"].(dict)["error"]; bad {
				fail(fmt.Errorf("janus: %v", problem))
			}
		}
		if jsep, yes := event["jsep"].(dict); yes {
			return jsep["sdp"].(string)
		}
	}
	fail(fmt.Errorf("janus sent no session description"))
	return ""
}

func (j *janus) publish(offer string) string {
	j.send(dict{"request": "joinandconfigure", "room": room, "ptype": "publisher", "id": feed, "audio": true, "video": true},
		dict{"type": "offer", "sdp": offer})
	return j.description()
}

func (j *janus) subscribe() string {
	j.send(dict{"request": "join", "room": room, "ptype": "subscriber", "streams": []dict{{"feed": feed}}}, nil)
	return j.description()
}

func (j *janus) start(answer string) {
	j.send(dict{"request": "start"}, dict{"type": "answer", "sdp": answer})
}
