// A client's test against a mock registry: an answer is lost, and the judge must find nothing. go run push.go longshore
package main

import ("bufio"; "crypto/sha256"; "fmt"; "io"; "net/http"; "os"; "os/exec"; "strings")

func main() {
	mock := exec.Command(os.Args[1], append(os.Args[2:], "mock", "--control", "127.0.0.1:0")...)
	pipe, _ := mock.StdoutPipe()
	if err := mock.Start(); err != nil { panic(err) }
	defer mock.Process.Kill()
	lines := bufio.NewScanner(pipe)
	lines.Scan(); registry := lines.Text()
	lines.Scan(); control, token, _ := strings.Cut(lines.Text(), " ")
	steer := func(method, path, body string) string {
		request, _ := http.NewRequest(method, control+path, strings.NewReader(body))
		request.Header.Set("Authorization", "Bearer "+token)
		answer, err := http.DefaultClient.Do(request)
		if err != nil { panic(err) }
		text, _ := io.ReadAll(answer.Body)
		return string(text)
	}
	steer("PUT", "/faults", "end-4b#1: answer-lost")
	post := fmt.Sprintf("%s/v2/demo/blobs/uploads/?digest=sha256:%x", registry, sha256.Sum256([]byte("hello")))
	for attempt := 1; attempt < 4; attempt++ { // the client under test
		answer, err := http.Post(post, "application/octet-stream", strings.NewReader("hello"))
		if err == nil && answer.StatusCode == 201 { break }
	}
	fmt.Println("state:", steer("GET", "/state", ""))
	if strings.Contains(steer("GET", "/report", ""), `"status": "failed"`) { panic("a rule was broken") }
}
