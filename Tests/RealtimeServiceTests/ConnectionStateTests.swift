import FoundationEssentials
import NIOCore
import Testing

@testable import RealtimeService

@Suite struct ConnectionStateTests {
    private let me = UUID()
    private let friend = UUID()

    @Test func `a token in a message, a resume, the changes, then ready`() throws {
        var it = Harness(credential: nil)
        #expect(it.does { $0.receive(#"{"type":"auth","token":"t"}"#, at: $1) } == ["identify token(\"t\")"])
        #expect(it.does { $0.identified(at: $1) } == [])
        let resume = #"{"type":"resume","after":"\#(me.text):3"}"#
        #expect(it.does { $0.receive(resume, at: $1) } == ["subscribe", "fetch \(me.text):3 resume"])
        let page = ChangesPage(frames: ByteBuffer(string: "items"), count: 2, cursor: [me: 5])
        #expect(it.does { $0.received(page, at: $1) } == ["send items", "proceed"])
        #expect(it.does { $0.proceed(at: $1) } == [#"send {"type":"ready","cursor":"\#(me.text):5"}"#])
        #expect(it.state.isLive)
    }

    @Test func `a resume that comes before the API knows who it is waits for it`() {
        var it = Harness()
        #expect(it.does { $0.receive(#"{"type":"resume","after":null}"#, at: $1) } == [])
        #expect(it.does { $0.identified(at: $1) } == ["subscribe", "fetch  resume"])
    }

    @Test func `pages follow each other as the client reads`() {
        var it = Harness.catchingUp()
        let page = ChangesPage(frames: ByteBuffer(string: "a"), count: 1, cursor: [me: 2], hasMore: true)
        #expect(it.does { $0.received(page, at: $1) } == ["send a", "proceed"])
        #expect(it.does { $0.proceed(at: $1) } == ["fetch \(me.text):2"])
        #expect(it.does { $0.proceed(at: $1) } == [], "one page at a time")
    }

    @Test func `what is held while catching up follows, but for what was in the changes`() {
        var it = Harness.catchingUp()
        for seq in 4...7 { #expect(it.deliver(me, seq, from: 1) == []) }
        let actions = it.finishCatchUp([me: 5])
        #expect(actions == ["ready", "event 6", "event 7"])
        #expect(it.deliver(me, 7, from: 1) == [], "a redelivery")
        #expect(it.deliver(me, 8, from: 1) == ["event 8"])
    }

    @Test func `more than may be held is asked for again`() {
        var it = Harness.catchingUp(rules: ConnectionRules(heldEvents: 2))
        for seq in 4...8 { _ = it.deliver(me, seq, from: 1) }
        _ = it.does { $0.received(ChangesPage(cursor: [me: 5]), at: $1) }
        #expect(it.does { $0.proceed(at: $1) } == ["fetch \(me.text):5 overflow"])
        #expect(it.deliver(me, 9, from: 1) == [])
        #expect(it.finishCatchUp([me: 8]) == ["ready", "event 9"])
    }

    @Test func `a number that the process never saw is asked for`() {
        var it = Harness.live([me: 5])
        #expect(it.deliver(me, 7, from: 7) == ["fetch \(me.text):5 gap"])
        #expect(it.deliver(me, 8, from: 7) == [])
        #expect(it.finishCatchUp([me: 7], sends: true) == ["ready", "event 8"])
    }

    @Test func `a number that was for others is no gap`() {
        var it = Harness.live([me: 5, friend: 10])
        #expect(it.deliver(friend, 14, from: 11) == ["event 14"])
        #expect(it.deliver(friend, 16, from: 9) == ["event 16"])
        #expect(it.deliver(friend, 18, from: 18) == ["fetch \(me.text):5,\(friend.text):16 gap"])
    }

    @Test func `a stream that is new is asked for, and so is a project that is opened`() {
        var it = Harness.live([me: 5])
        #expect(it.deliver(friend, 9, from: 1) == ["fetch \(me.text):5 stream"])
        #expect(it.finishCatchUp([me: 5, friend: 9], sends: true) == ["ready"])
        #expect(it.deliver(friend, 10, from: 1, opens: true) == ["fetch \(me.text):5,\(friend.text):9 share"])
        _ = it.finishCatchUp([me: 5, friend: 10], sends: true)
        #expect(it.deliver(me, 6, from: 1, opens: true) == ["event 6"], "the owner sees it already")
    }

    @Test func `an event that the changes do not have is passed on, and asks only once`() {
        var it = Harness.live([me: 5])
        #expect(it.deliver(friend, 9, from: 1) == ["fetch \(me.text):5 stream"])
        #expect(it.finishCatchUp([me: 5]) == ["event 9"])
        #expect(it.deliver(friend, 9, from: 1) == [])
    }

    @Test func `a slow reader is sent nothing more until it has read, and then what it missed`() {
        var it = Harness.live([me: 5])
        #expect(it.deliver(me, 6, from: 1, hasRoom: false) == [])
        #expect(it.deliver(me, 7, from: 1) == [])
        #expect(it.does { $0.proceed(at: $1) } == ["fetch \(me.text):5 overflow"])
        #expect(it.deliver(me, 8, from: 1) == [])
        #expect(it.finishCatchUp([me: 7], sends: true) == ["ready", "event 8"])
    }

    @Test func `one that does not read at all is closed`() {
        var it = Harness.live([me: 5])
        _ = it.deliver(me, 6, from: 1, hasRoom: false)
        #expect(it.after(.seconds(14)) == [])
        #expect(it.after(.seconds(1)) == ["close 4408"])
        #expect(it.deliver(me, 7, from: 1) == [])
        #expect(it.after(.seconds(10)) == ["disconnect"])
    }

    @Test func `a client that does not read the changes is closed`() {
        var it = Harness.catchingUp()
        _ = it.does { $0.received(ChangesPage(frames: ByteBuffer(string: "a"), count: 1, cursor: [me: 5]), at: $1) }
        #expect(it.after(.seconds(14)) == [])
        #expect(it.after(.seconds(1)).contains("close 4408"))
    }

    @Test func `who says nothing in time is closed`() {
        var anonymous = Harness(credential: nil)
        #expect(anonymous.after(.seconds(4)) == [])
        #expect(anonymous.after(.seconds(1)) == ["close 4401"])
        var known = Harness()
        _ = known.does { $0.identified(at: $1) }
        #expect(known.after(.seconds(5)) == ["close 4400"])
    }

    @Test func `a connection is pinged and, when nothing comes back, dropped`() {
        var it = Harness.live([me: 5])
        #expect(it.after(.seconds(30)) == ["ping"])
        #expect(it.after(.seconds(14)).contains("disconnect") == false)
        #expect(it.after(.seconds(1)).contains("disconnect"))
        var answering = Harness.live([me: 5])
        for _ in 0..<5 {
            #expect(answering.after(.seconds(30)).contains("ping"))
            _ = answering.does { $0.heardFrame(at: $1) }
        }
    }

    @Test func `a check that finds what was lost sends it`() {
        var it = Harness.live([me: 5])
        #expect(it.after(.seconds(40)).contains("check \(me.text):5"))
        #expect(it.after(.seconds(1)) == [], "one at a time")
        _ = it.does { $0.heardFrame(at: $1) }
        let lost = ChangesPage(frames: ByteBuffer(string: "a"), count: 1, cursor: [me: 6])
        #expect(it.does { $0.checked(lost, at: $1) } == ["fetch \(me.text):5 check"])
        _ = it.finishCatchUp([me: 6], sends: true)
        #expect(it.deliver(me, 7, from: 1) == ["event 7"])
        #expect(it.after(.seconds(40)).contains("check \(me.text):7"))
        #expect(it.does { $0.checked(ChangesPage(cursor: [me: 7]), at: $1) } == [])
    }

    @Test func `where events have only begun to come in, checks come soon, and then ever later`() {
        var it = Harness.live([me: 5], age: .zero)
        var checks: [Int] = []
        for second in 1...130 {
            _ = it.does { $0.heardFrame(at: $1) }
            if it.after(.seconds(1)).contains("check \(me.text):5") {
                checks.append(second)
                _ = it.does { $0.checked(ChangesPage(cursor: [me: 5]), at: $1) }
            }
        }
        #expect(checks == [1, 3, 9, 27, 67, 107])
        var later = Harness.live([me: 5], age: .seconds(4))
        #expect(later.after(.seconds(7)) == [])
        #expect(later.after(.seconds(1)) == ["check \(me.text):5"])
    }

    @Test func `changes that came as events while the check was under way are not sent again`() {
        var it = Harness.live([me: 5])
        _ = it.after(.seconds(40))
        _ = it.deliver(me, 6, from: 1)
        let page = ChangesPage(frames: ByteBuffer(string: "a"), count: 1, cursor: [me: 6])
        #expect(it.does { $0.checked(page, at: $1) } == [])
    }

    @Test func `a token that is good no longer closes; an API that is away does not`() {
        var it = Harness.live([me: 5])
        _ = it.after(.seconds(40))
        #expect(it.does { $0.failed(.unavailable(""), isCheck: true, at: $1) } == [])
        _ = it.does { $0.heardFrame(at: $1) }
        #expect(it.after(.seconds(15)).contains("check \(me.text):5"))
        #expect(it.does { $0.failed(.refused("gone"), isCheck: true, at: $1) } == ["close 4401"])
        var waiting = Harness.catchingUp()
        #expect(waiting.does { $0.failed(.unavailable(""), isCheck: false, at: $1) } == ["close 1013"])
        var confused = Harness.catchingUp()
        #expect(confused.does { $0.failed(.badCursor("no"), isCheck: false, at: $1) } == ["close 4400"])
        var outdated = Harness.live([me: 5])
        #expect(outdated.does { $0.failed(.outdated, isCheck: true, at: $1) } == ["close 4410"])
    }

    @Test func `a credential that is doubted is checked at once, and again when that was under way`() {
        var it = Harness.live([me: 5])
        it.state.doubt()
        #expect(it.after(.milliseconds(250)) == ["check \(me.text):5"])
        it.state.doubt()
        #expect(it.after(.milliseconds(250)) == [], "one at a time")
        #expect(it.does { $0.checked(ChangesPage(cursor: [me: 5]), at: $1) } == [])
        #expect(it.after(.milliseconds(250)) == ["check \(me.text):5"])
        #expect(it.does { $0.failed(.refused("gone"), isCheck: true, at: $1) } == ["close 4401"])
        var behind = Harness.catchingUp()
        behind.state.doubt()
        #expect(behind.after(.milliseconds(250)) == [])
        _ = behind.finishCatchUp([me: 5])
        #expect(behind.after(.milliseconds(250)) == ["check \(me.text):5"])
    }

    @Test func `a drain says when to come back, and closes then`() {
        var it = Harness.live([me: 5])
        #expect(
            it.does { $0.drain(after: .milliseconds(1500), at: $1) } == [#"send {"type":"reconnect","afterMs":1500}"#])
        #expect(it.deliver(me, 6, from: 1) == ["event 6"])
        #expect(it.after(.milliseconds(1400)).contains("close 1012") == false)
        #expect(it.after(.milliseconds(100)) == ["close 1012"])
    }

    @Test(arguments: [
        #"{"type":"resume"}"#, "{", "[]", #"{"type":"auth"}"#, #"{"type":"auth","token":"a\nb"}"#, #"{"type":"x"}"#,
        #"{"type":"resume","after":7}"#, #"{"type":"resume","after":"nonsense"}"#, #"{"type":"auth","token":""}"#,
    ])
    func `what a client may not say now closes`(_ text: String) {
        var it = Harness(credential: nil)
        #expect(it.does { $0.receive(text, at: $1) }.first?.hasPrefix("close 440") == true)
        #expect(it.does { $0.receive(text, at: $1) } == [])
        var live = Harness.live([me: 1])
        #expect(live.does { $0.receive(text, at: $1) } == ["close 4400"])
    }

    @Test func `a client may not chatter`() {
        var it = Harness.live([me: 1])
        for _ in 0..<50 { #expect(it.does { $0.heardFrame(at: $1) } == []) }
        #expect(it.does { $0.heardFrame(at: $1) } == ["close 4400"])
        var patient = Harness.live([me: 1])
        for _ in 0..<500 {
            patient.now = patient.now + .milliseconds(100)
            #expect(patient.does { $0.heardFrame(at: $1) } == [])
        }
    }

    @Test func `goodbyes are answered once`() {
        var it = Harness.live([me: 1])
        #expect(it.does { $0.receiveClose(1000, at: $1) } == ["closeBack 1000"])
        var closing = Harness.live([me: 1])
        _ = closing.does { $0.close(.restarting, at: $1) }
        #expect(closing.does { $0.receiveClose(1012, at: $1) } == ["disconnect"])
        #expect(closing.does { $0.close(.tooSlow, at: $1) } == [])
    }
}
